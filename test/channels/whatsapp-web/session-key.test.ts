import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";
import {
  deriveKey,
  findSessionSecret,
  keyFileOf,
  parseSecret,
} from "../../../src/channels/whatsapp-web/session-key.ts";

let folder: string;
let sessionPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-key-"));
  sessionPath = join(folder, "session.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hex = (byte: string) => byte.repeat(32);
const keyOf = (env: Record<string, string>, sessionExists = true) => {
  const secret = findSessionSecret({ env, sessionPath, sessionExists });
  return [secret.origin, secret.kind === "key" ? secret.key.toString("hex") : secret.passphrase];
};

describe("where the key comes from", () => {
  test("the environment, else the systemd credential, else the file", () => {
    const credentials = join(folder, "credentials");
    mkdirSync(credentials);
    writeFileSync(keyFileOf(sessionPath), `${hex("cc")}\n`);
    const env = { REVKA_SESSION_KEY: "", CREDENTIALS_DIRECTORY: credentials };
    expect(keyOf(env)).toEqual(["file", hex("cc")]);
    writeFileSync(join(credentials, "revka-session-key"), `${hex("bb")}\n`);
    expect(keyOf(env)).toEqual(["credential", hex("bb")]);
    expect(keyOf({ ...env, REVKA_SESSION_KEY: hex("aa") })).toEqual(["environment", hex("aa")]);
  });

  test("its file is made private again where it was not", () => {
    writeFileSync(keyFileOf(sessionPath), hex("cc"), { mode: 0o640 });
    keyOf({});
    expect(statSync(keyFileOf(sessionPath)).mode & 0o777).toBe(0o600);
  });

  test("it is made once, where there is neither key nor session, and nothing is left of the making", () => {
    const made = keyOf({}, false);
    expect(made[0]).toBe("file");
    expect(keyOf({}, true)).toEqual(made);
    expect(readdirSync(folder)).toEqual(["session.db.key"]);
    expect(readFileSync(keyFileOf(sessionPath), "utf8")).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  });

  test("for a session that is there, none is made", () => {
    expect(() => keyOf({}, true)).toThrow("put");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("what a key is", () => {
  test.each(["environment", "credential"] as const)("a passphrase only from the %s", (origin) => {
    expect(parseSecret(" twelve chars \n", origin)).toMatchObject({ passphrase: "twelve chars" });
    expect(() => parseSecret("eleven char", origin)).toThrow("at least 12");
    expect(() => parseSecret("twelve chars", "file")).toThrow("does not hold a key");
  });

  test("a passphrase makes another key in each session, the same whatever keyboard typed it", () => {
    const [composed, decomposed] = ["Schlüssel 2026", "Schlu\u0308ssel 2026"].map((text) =>
      parseSecret(text, "environment"),
    );
    if (!composed || !decomposed) throw new Error("no secret");
    const salts = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)] as const;
    const key = deriveKey(composed, salts[0]);
    expect(key).toHaveLength(32);
    expect(deriveKey(decomposed, salts[0])).toEqual(key);
    expect(deriveKey(composed, salts[1])).not.toEqual(key);
  });

  const bytes = Buffer.alloc(32, 0xfb);
  test.each([
    ["hexadecimal digits", "fb".repeat(32), bytes],
    ["capital hexadecimal digits", "FB".repeat(32), bytes],
    ["base64", bytes.toString("base64"), bytes],
    ["base64 without its end", bytes.toString("base64").slice(0, 43), bytes],
    ["base64 as in URLs", bytes.toString("base64url"), bytes],
    ["too many hexadecimal digits", "fb".repeat(33), null],
    ["too much for base64", "fb".repeat(22), null],
  ])("%s", (_, text, key) => {
    const secret = parseSecret(text, "environment");
    expect(secret).toMatchObject(key ? { key } : { passphrase: text });
  });

  test("a passphrase makes the key that it made when the session was new", () => {
    const secret = parseSecret("correct horse battery staple", "environment");
    expect(deriveKey(secret, Buffer.alloc(16, 7)).toString("hex")).toBe(
      "418001f224426b0fda3f6174297a7af6529725d2d4f5192e78bfc8b2851d6e55",
    );
  });
});

describe("a session that cannot be opened stays as it is", () => {
  const open = () => SessionDatabase.open({ path: sessionPath, env: {} });
  const spoiled = (sql: string) => {
    open().close();
    const raw = new DatabaseSync(sessionPath);
    raw.exec(sql);
    raw.close();
  };

  test.each([
    ["of a newer version", "PRAGMA user_version = 2", "unusable"],
    ["without its salt", "DELETE FROM meta WHERE name = 'salt'", "damaged"],
    [
      "with a spoiled check of its key",
      "UPDATE meta SET value = 7 WHERE name = 'check'",
      "wrong_key",
    ],
    ["with an empty check", "UPDATE meta SET value = x'' WHERE name = 'check'", "wrong_key"],
  ])("one %s", (_, sql, code) => {
    spoiled(sql);
    for (let times = 0; times < 2; times++) {
      expect(open).toThrow(expect.objectContaining({ code }));
    }
  });
});
