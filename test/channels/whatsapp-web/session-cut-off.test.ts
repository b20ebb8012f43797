import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyStore } from "../../../src/channels/whatsapp-web/key-store.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-session-"));
  path = join(folder, "session.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => SessionDatabase.open({ path, env: {} });

function write(database: SessionDatabase, name: string): void {
  database.transaction(() =>
    new KeyStore(database).apply([{ type: "session", id: "4917.0", json: `"${name}"` }]),
  );
}

function read(): string | undefined {
  const database = open();
  try {
    return new KeyStore(database).get("session", "4917.0");
  } finally {
    database.close();
  }
}

/**
 * Lays a session of Ada, of whom only the log beside the file knows (as a full disk leaves it), where a kill left the two
 * of them: what stands behind the session's name, "" for its own place.
 */
function left(file: string, log: string): void {
  open().close();
  const database = open();
  database.sql.exec("PRAGMA wal_autocheckpoint = 0");
  write(database, "Ada");
  copyFileSync(path, join(folder, "file"));
  copyFileSync(`${path}-wal`, join(folder, "log"));
  database.close();
  rmSync(path);
  renameSync(join(folder, "file"), path + file);
  renameSync(join(folder, "log"), path + log);
}

test.each([
  ["between its file and its log", ".leaving", "-wal"],
  ["once it had left", ".leaving", ".leaving-wal"],
])("a session that was killed as it left, %s, comes back whole", (_, file, log) => {
  left(file, log);
  expect(read()).toBe('"Ada"');
  expect(readdirSync(folder).filter((name) => name.includes("leaving"))).toEqual([]);
});

test("what a killed process wrote, perhaps to memory alone, is written anew before anything rests on it", () => {
  left(".leaving", ".leaving-wal");
  const database = open();
  expect(statSync(`${path}-wal`).size).toBe(0);
  database.close();
  expect(read()).toBe('"Ada"');
});

test("a file is never back before its log, whatever comes in between", () => {
  left(".leaving", ".leaving-wal");
  const inTheWay = `${path}-wal`;
  mkdirSync(join(inTheWay, "folder"), { recursive: true });
  expect(open).toThrow();
  rmSync(inTheWay, { recursive: true });
  expect(read()).toBe('"Ada"');
});

test("the log of a session that was killed as it was set aside is taken for no other's", () => {
  left(".logged-out-1970-01-01T00-00-00-000Z", ".leaving-wal");
  const next = open();
  write(next, "Ben");
  next.leave();
  expect(read()).toBe('"Ben"');
  const logs = readdirSync(folder).filter((name) => name.endsWith("-wal"));
  expect(logs).toEqual([expect.stringMatching(/^session\.db\.logged-out-.*Z-wal$/)]);
});
