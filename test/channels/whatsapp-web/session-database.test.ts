import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  symlinkSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AuthenticationCreds } from "@whiskeysockets/baileys";
import { KeyStore, storedCredentials } from "../../../src/channels/whatsapp-web/key-store.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";
import { lockSession } from "../../../src/channels/whatsapp-web/session-lock.ts";
import { SessionError } from "../../../src/channels/whatsapp-web/session-error.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-session-"));
  path = join(folder, "session.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (env: Record<string, string> = {}) => SessionDatabase.open({ path, env });

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof SessionError ? error.code : String(error);
  }
  return "fine";
}

/** A session with one value in it, closed. */
function prepared(env: Record<string, string> = {}): void {
  const database = open(env);
  const store = new KeyStore(database);
  database.transaction(() =>
    store.apply([{ type: "session", id: "4917.0", json: '"the ratchet of Ada"' }]),
  );
  database.close();
}

function value(env: Record<string, string> = {}): string | undefined {
  const database = open(env);
  try {
    return new KeyStore(database).get("session", "4917.0");
  } finally {
    database.close();
  }
}

const save = (database: SessionDatabase, creds: AuthenticationCreds) =>
  database.transaction(() => new KeyStore(database).apply([storedCredentials(creds)]));

const mode = (file: string) => statSync(file).mode & 0o777;

describe("the session file", () => {
  test("keeps what was written, in one file and its key, for nobody else to read", () => {
    prepared();
    expect(value()).toBe('"the ratchet of Ada"');
    expect(readdirSync(folder).toSorted()).toEqual([
      "session.db",
      "session.db.key",
      "session.db.lock",
    ]);
    for (const name of readdirSync(folder)) expect(mode(join(folder, name))).toBe(0o600);
    expect(readFileSync(path).includes("ratchet of Ada")).toBe(false);
  });

  test("its side files are as private while it is open", () => {
    const database = open();
    const store = new KeyStore(database);
    save(database, store.loadCredentials());
    expect(readdirSync(folder)).toContain("session.db-wal");
    for (const name of readdirSync(folder)) expect(mode(join(folder, name))).toBe(0o600);
    database.close();
  });

  test("is made private again where it was not", () => {
    prepared();
    chmodSync(path, 0o644);
    chmodSync(`${path}.key`, 0o644);
    value();
    expect(mode(path)).toBe(0o600);
    expect(mode(`${path}.key`)).toBe(0o600);
  });

  test("a copy of file and key opens elsewhere", () => {
    prepared();
    const other = join(folder, "restored.db");
    copyFileSync(path, other);
    copyFileSync(`${path}.key`, `${other}.key`);
    path = other;
    expect(value()).toBe('"the ratchet of Ada"');
  });

  test("credentials are made once", () => {
    const database = open();
    const store = new KeyStore(database);
    const creds = store.loadCredentials();
    save(database, creds);
    database.close();
    const again = open();
    const loaded = new KeyStore(again).loadCredentials();
    again.close();
    expect(Buffer.from(loaded.noiseKey.private)).toEqual(Buffer.from(creds.noiseKey.private));
  });
});

describe("the key", () => {
  const hex = "ab".repeat(32);

  test.each([
    ["64 hexadecimal digits", hex],
    ["base64", Buffer.from(hex, "hex").toString("base64")],
    ["base64url", Buffer.from(hex, "hex").toString("base64url")],
  ])("from the environment as %s is the same key", (_, text) => {
    prepared({ REVKA_SESSION_KEY: hex });
    expect(value({ REVKA_SESSION_KEY: text })).toBe('"the ratchet of Ada"');
    expect(existsSync(`${path}.key`)).toBe(false);
  });

  test("may be a passphrase, but not a short one", () => {
    prepared({ REVKA_SESSION_KEY: "correct horse battery" });
    expect(value({ REVKA_SESSION_KEY: "correct horse battery" })).toBe('"the ratchet of Ada"');
    expect(codeOf(() => open({ REVKA_SESSION_KEY: "correct horse batterx" }))).toBe("wrong_key");
    expect(codeOf(() => open({ REVKA_SESSION_KEY: "short" }))).toBe("bad_key");
  });

  test("may be a systemd credential", () => {
    writeFileSync(join(folder, "revka-session-key"), `${hex}\n`);
    prepared({ CREDENTIALS_DIRECTORY: folder });
    expect(value({ REVKA_SESSION_KEY: hex })).toBe('"the ratchet of Ada"');
  });

  test("missing: an error that says where it belongs, and nothing is changed or made", () => {
    prepared();
    rmSync(`${path}.key`);
    const before = readFileSync(path);
    expect(codeOf(open)).toBe("missing_key");
    expect(existsSync(`${path}.key`)).toBe(false);
    expect(readFileSync(path)).toEqual(before);
  });

  test("another one: an error, and nothing is changed", () => {
    prepared();
    const before = readFileSync(path);
    expect(codeOf(() => open({ REVKA_SESSION_KEY: hex }))).toBe("wrong_key");
    expect(readFileSync(path)).toEqual(before);
    expect(value()).toBe('"the ratchet of Ada"');
  });

  test.each([
    ["", "bad_key"],
    ["torn", "bad_key"],
  ])("a key file that holds %p is refused", (text, code) => {
    prepared();
    writeFileSync(`${path}.key`, text);
    expect(codeOf(open)).toBe(code);
  });
});

describe("what is not as it should be", () => {
  test.each([
    "CREATE TABLE device (jid TEXT); INSERT INTO device VALUES ('x')",
    "PRAGMA application_id = 7",
  ])("a file of another program is left as it is: %s", (made) => {
    const other = new DatabaseSync(path);
    other.exec(made);
    other.close();
    const before = readFileSync(path);
    expect(codeOf(open)).toBe("foreign");
    expect(readFileSync(path)).toEqual(before);
    expect(existsSync(`${path}.key`)).toBe(false);
    writeFileSync(path, "no database at all, but some text");
    expect(codeOf(open)).toBe("foreign");
  });

  test("a folder keeps its mode, and nothing is made beside it", () => {
    mkdirSync(path);
    chmodSync(path, 0o755);
    const before = readdirSync(dirname(path));
    expect(codeOf(open)).toBe("foreign");
    expect(statSync(path).mode & 0o777).toBe(0o755);
    expect(readdirSync(dirname(path))).toEqual(before);
  });

  test("an empty file is a new session", () => {
    writeFileSync(path, "");
    expect(codeOf(() => open().close())).toBe("fine");
  });

  test("a file that a crash left without tables is a new session", () => {
    prepared();
    rmSync(path);
    const begun = new DatabaseSync(path);
    begun.exec("PRAGMA journal_mode = WAL");
    begun.close();
    expect(statSync(path).size).toBeGreaterThan(0);
    expect(value()).toBeUndefined();
  });

  test.each<[string, string, string, string]>([
    ["a later version", "PRAGMA user_version = 2", "unusable", "a newer Revka wrote"],
    ["no salt", "DELETE FROM meta WHERE name = 'salt'", "damaged", "restore it from a backup"],
    ["no blob to check the key by", "UPDATE meta SET value = 'x'", "damaged", "from a backup"],
    [
      "no blob to check the key by, but a salt",
      "UPDATE meta SET value = 'x' WHERE name = 'check'",
      "wrong_key",
      "was left as it is",
    ],
    ["a table missing", "DROP TABLE meta", "unusable", "cannot be opened (no such table: meta)"],
  ])("%s is told, and the file left as it is", (_, sql, code, words) => {
    prepared();
    const raw = new DatabaseSync(path);
    raw.exec(sql);
    raw.close();
    expect(codeOf(open)).toBe(code);
    expect(open).toThrow(words);
    const after = new DatabaseSync(path);
    expect(after.prepare("SELECT count(*) AS n FROM entry").get()?.n).toBe(1);
    after.close();
  });

  test.each([
    ["a changed byte", "UPDATE entry SET value = CAST(zeroblob(60) AS BLOB)"],
    ["a value in another's place", "UPDATE entry SET id = '4917.1' WHERE id = '4917.0'"],
  ])("%s is damage, not an empty session", (_, sql) => {
    prepared();
    const raw = new DatabaseSync(path);
    raw.exec(sql);
    raw.close();
    const database = open();
    const store = new KeyStore(database);
    expect(codeOf(() => [store.get("session", "4917.0"), store.get("session", "4917.1")])).toBe(
      "damaged",
    );
    database.close();
  });

  test("a transaction and a closing wait for what is on its way to the disk", () => {
    const database = open();
    const arrived: string[] = [];
    database.commit(() => {});
    database.log.committed(() => arrived.push("before the transaction"));
    database.transaction(() => expect(arrived).toHaveLength(1));
    database.commit(() => {});
    database.log.committed(() => arrived.push("before the closing"));
    database.close();
    expect(arrived).toHaveLength(2);
  });

  test("a transaction that breaks leaves nothing of itself", () => {
    prepared();
    const database = open();
    const store = new KeyStore(database);
    expect(() =>
      database.transaction(() => {
        store.apply([{ type: "session", id: "4917.0", json: '"half"' }]);
        throw new Error("power cut");
      }),
    ).toThrow("power cut");
    expect(store.get("session", "4917.0")).toBe('"the ratchet of Ada"');
    database.close();
  });

  test("an error that ended the transaction is told as it is", () => {
    const database = open();
    expect(() =>
      database.transaction(() => {
        // As SQLite does by itself where the disk is full.
        database.sql.exec("ROLLBACK");
        throw new Error("disk full");
      }),
    ).toThrow("disk full");
    database.close();
  });

  test("a second opener is told so, and gets in once the first has left", () => {
    const first = open();
    expect(codeOf(open)).toBe("locked");
    first.close();
    expect(codeOf(() => open().close())).toBe("fine");
  });

  test("a lock that cannot be had for another reason is not called another process", () => {
    writeFileSync(`${path}.lock`, "not what a lock is");
    expect(codeOf(open)).toBe("unusable");
    expect(open).toThrow("see to session_path, its folder's permissions");
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(codeOf(() => SessionDatabase.open({ path: join(file, "s.db"), env: {} }))).toBe(
      "unusable",
    );
  });

  test("is one for all links that lead to a session", () => {
    prepared();
    const link = join(folder, "link.db");
    symlinkSync(path, link);
    const lock = lockSession(link);
    expect(codeOf(open)).toBe("locked");
    lock.release();
    const direct = lockSession(path);
    expect(() => lockSession(link)).toThrow("another process uses this WhatsApp session");
    direct.release();
  });

  test("is one for all links also where a crash came as a session was left", () => {
    const env = { REVKA_SESSION_KEY: "a key that is long enough, 32 or more" };
    prepared(env);
    const link = join(folder, "link.db");
    symlinkSync(path, link);
    SessionDatabase.open({ path: link, env }).leave();
    const back = SessionDatabase.open({ path: link, env });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(() => lockSession(link)).toThrow("another process uses this WhatsApp session");
    back.close();
    lockSession(link).release();
  });

  test("is one empty file while it is held", () => {
    const lock = lockSession(path);
    expect(readdirSync(folder)).toEqual(["session.db.lock"]);
    lock.release();
  });

  test("after a failed opening the lock is free", () => {
    prepared();
    expect(codeOf(() => open({ REVKA_SESSION_KEY: "ab".repeat(32) }))).toBe("wrong_key");
    expect(value()).toBe('"the ratchet of Ada"');
  });
});

test("a disk that fails at the last hinders neither closing nor moving aside", () => {
  prepared();
  const closing = open();
  closing.sql.exec("BEGIN IMMEDIATE");
  closing.close();
  expect(value()).toBe('"the ratchet of Ada"');
  const moving = open();
  moving.sql.exec("BEGIN IMMEDIATE");
  const aside = moving.leave().settle(0);
  renameSync(aside, path);
  expect(value()).toBe('"the ratchet of Ada"');
});

test("what cannot be moved aside stays, and can be opened again", () => {
  prepared();
  mkdirSync(`${path}.logged-out-1970-01-01T00-00-00-000Z/in-the-way`, { recursive: true });
  expect(() => open().leave().settle(0)).toThrow();
  expect(value()).toBe('"the ratchet of Ada"');
});

test("moved aside, it lies beside its place, whole but for what meant the place, and opens from there", () => {
  prepared();
  const database = open();
  const change = { type: "mark", id: "of its place", json: "1" };
  database.transaction(() => new KeyStore(database).apply([change]));
  const aside = database.leave("mark").settle(Date.UTC(2026, 10, 23, 9, 30));
  expect(aside).toBe(`${path}.logged-out-2026-11-23T09-30-00-000Z`);
  expect(existsSync(path)).toBe(false);
  copyFileSync(aside, path);
  expect(value()).toBe('"the ratchet of Ada"');
  const kept = open();
  expect(new KeyStore(kept).get("mark", "of its place")).toBeUndefined();
  kept.close();
});
