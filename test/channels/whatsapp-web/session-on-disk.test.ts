import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyStore } from "../../../src/channels/whatsapp-web/key-store.ts";
import { writePrivateFile } from "../../../src/channels/whatsapp-web/private-file.ts";
import { FileSync } from "../../../src/runtime/file-sync.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "revka-on-disk-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (...path: string[]) => SessionDatabase.open({ path: join(folder, ...path), env: {} });
const found = (text: string) =>
  readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));

test("a key that is deleted leaves nothing of itself in the file", () => {
  const database = open("s.db");
  const store = new KeyStore(database);
  const change = { type: "session", id: "447700900123.0" };
  database.transaction(() => store.apply([{ ...change, json: '"a ratchet"' }]));
  database.sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  expect(found(change.id)).toEqual(["s.db"]);
  database.transaction(() => store.apply([{ ...change, json: null }]));
  database.close();
  expect(found(change.id)).toEqual([]);
});

test("the log is on the disk before it is folded into the file, and the file before the log begins anew", () => {
  const database = open("s.db");
  // 1 is NORMAL: without it, the order of what is written to the disk is anybody's.
  expect(database.sql.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 1 });
  database.close();
});

test("a transaction waits for the disk, not only for the operating system", () => {
  const database = open("s.db");
  const synced = spyOn(FileSync.prototype, "finish");
  try {
    database.transaction(() => expect(synced).not.toHaveBeenCalled());
    expect(synced).toHaveBeenCalledTimes(1);
  } finally {
    synced.mockRestore();
  }
  database.close();
});

test("a folder that is made for the session is for nobody else to look into", () => {
  open("made", "for it", "s.db").close();
  for (const name of ["made", join("made", "for it")]) {
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700);
  }
});

test("a private file is never written over another", () => {
  const path = join(folder, "key");
  writePrivateFile(path, "the first");
  expect(() => writePrivateFile(path, "another")).toThrow("EEXIST");
  expect(readFileSync(path, "utf8")).toBe("the first");
});

test("values of different types under one name are kept apart", () => {
  const database = open("s.db");
  const store = new KeyStore(database);
  const named = (type: string, json: string | null) => ({ type, id: "4917.0", json });
  database.transaction(() => store.apply([named("session", "1"), named("identity-key", "2")]));
  expect([store.get("session", "4917.0"), store.get("identity-key", "4917.0")]).toEqual(["1", "2"]);
  database.transaction(() => store.apply([named("session", null)]));
  expect(store.get("session", "4917.0")).toBeUndefined();
  expect(store.get("identity-key", "4917.0")).toBe("2");
  database.close();
});

/** Files of the folder that this process holds open. */
const held = () =>
  readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false;
    }
  });

test.skipIf(process.platform !== "linux")(
  "a session that could not be opened, was closed or has left is held open by nobody",
  () => {
    const path = join(folder, "s.db");
    const first = open("s.db");
    expect(held()).not.toEqual([]);
    first.close();
    expect(held()).toEqual([]);
    const env = { REVKA_SESSION_KEY: "ab".repeat(32) };
    expect(() => SessionDatabase.open({ path, env })).toThrow("does not open");
    expect(held()).toEqual([]);
    open("s.db").leave().settle(0);
    expect(held()).toEqual([]);
  },
);
