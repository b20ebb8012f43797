import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  readFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FileSync } from "../../src/runtime/file-sync.ts";
import { StoreError } from "../../src/store/contract.ts";
import { Database } from "../../src/store/database.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { lockFile } from "../../src/store/lock.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, storeAt } from "../support/store.ts";

const clock = fakeClock();
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-test-"));
  path = join(folder, "revka.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const problemOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return "none";
  } catch (error) {
    return error instanceof StoreError ? error.problem : String(error);
  }
};

test("a write resolves after its commit, and writes of one turn share it", async () => {
  const database = Database.open(path);
  const other = new DatabaseSync(path, { readOnly: true });
  const seen = () => (other.prepare("SELECT at FROM probe").get() as { at: number }).at;
  const writes = [1, 2, 3].map((at) =>
    database.write(() => database.sql("UPDATE probe SET at = ?").run(at)),
  );
  expect(seen()).toBe(0);
  await writes[0];
  expect(seen()).toBe(3);
  other.close();
  database.close();
});

test("a write resolves once its commit is on the disk; what comes meanwhile shares the next", async () => {
  const arrived: (() => void)[] = [];
  const begin = spyOn(FileSync.prototype, "begin").mockImplementation(
    (done) => void arrived.push(done),
  );
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const database = Database.open(path);
  const at = () => (database.sql("SELECT at FROM probe").get() as { at: number }).at;
  const heard: number[] = [];
  const write = (value: number) =>
    void database
      .write(() => database.sql("UPDATE probe SET at = ?").run(value))
      .then(() => heard.push(value));
  try {
    write(1);
    await turn();
    write(2);
    await turn();
    write(3);
    await turn();
    expect([heard, at(), arrived.length]).toEqual([[], 1, 1]);
    arrived.shift()?.();
    await turn();
    await turn();
    expect([heard, at(), arrived.length]).toEqual([[1], 3, 1]);
    arrived.shift()?.();
    await turn();
    expect(heard).toEqual([1, 2, 3]);
  } finally {
    begin.mockRestore();
    database.close();
  }
});

test("what a killed process wrote, perhaps to memory alone, is written anew before anything rests on it", () => {
  const killed = Database.open(path);
  const other = new DatabaseSync(path);
  other.exec("UPDATE probe SET at = 7");
  other.close();
  const copy = join(folder, "copy.db");
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  killed.close();
  const database = Database.open(copy);
  expect(statSync(`${copy}-wal`).size).toBe(0);
  expect(database.sql("SELECT at FROM probe").get()).toEqual({ at: 7 });
  database.close();
});

test("closing writes what waits, and nobody waits for ever", async () => {
  const database = Database.open(path);
  const write = (value: number) =>
    database.write(() => database.sql("UPDATE probe SET at = ?").run(value));
  const first = write(1);
  await new Promise<void>((resolve) => setImmediate(resolve));
  const second = write(2);
  database.close();
  await Promise.all([first, second]);
  expect(await problemOf(write(3))).toBe("failed");
  const other = new DatabaseSync(path, { readOnly: true });
  expect(other.prepare("SELECT at FROM probe").get()).toEqual({ at: 2 });
  other.close();
});

test("where the disk fails at the closing, nobody hears that anything is on it", async () => {
  const database = Database.open(path);
  const heard: unknown[] = [];
  const write = (value: number) =>
    void database
      .write(() => database.sql("UPDATE probe SET at = ?").run(value))
      .finally(() => heard.push(value));
  const begin = spyOn(FileSync.prototype, "begin").mockImplementation(() => {});
  const finish = spyOn(FileSync.prototype, "finish").mockImplementation(() => {
    throw new Error("EIO");
  });
  try {
    write(1);
    await new Promise<void>((resolve) => setImmediate(resolve));
    write(2);
    expect(() => database.close()).toThrow("EIO");
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(heard).toEqual([]);
  } finally {
    begin.mockRestore();
    finish.mockRestore();
  }
});

test("what stands in the WAL is on the disk before it is folded in, and the file before the WAL begins anew", () => {
  const database = Database.open(path);
  // 1 is NORMAL: without it, the order of what is written to the disk is anybody's.
  expect(database.sql("PRAGMA synchronous").get()).toEqual({ synchronous: 1 });
  database.close();
});

test.skipIf(process.platform !== "linux")("a store that was closed is held open by nobody", () => {
  storeAt(path, clock).close();
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  expect(open.filter((file) => file.startsWith(folder))).toEqual([]);
});

test("a write that throws costs only itself", async () => {
  const database = Database.open(path);
  let undone = 0;
  const good = database.write(() => database.sql("UPDATE probe SET at = 7").run());
  const bad = database.write(
    () => {
      throw new Error("a mistake");
    },
    () => undone++,
  );
  await good;
  expect(await problemOf(bad)).toBe("failed");
  expect(undone).toBeGreaterThan(0);
  const row = database.sql("SELECT at FROM probe").get() as { at: number };
  expect(row.at).toBe(7);
  database.close();
});

test("the file is the owner's alone", () => {
  storeAt(path, clock).close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each([
  ["a new file has small pages, since each change writes whole ones", null, 2048],
  ["a file from before keeps its pages", 4096, 4096],
])("%s", (_, before, after) => {
  if (before !== null) {
    const earlier = new DatabaseSync(path);
    earlier.exec(
      `PRAGMA page_size = ${before}; PRAGMA journal_mode = WAL; PRAGMA user_version = 0`,
    );
    earlier.exec("CREATE TABLE t (a); DROP TABLE t");
    earlier.close();
  }
  const database = Database.open(path);
  const size = database.sql("PRAGMA page_size").get();
  database.close();
  expect(size).toEqual({ page_size: after });
});

test("a second daemon on the same store is refused", () => {
  const store = storeAt(path, clock);
  expect(() => storeAt(path, clock)).toThrow(`another Revka runs on the store ${path}`);
  store.close();
  storeAt(path, clock).close();
});

describe("a damaged file", () => {
  test.each([
    ["that is no database", () => writeFileSync(path, "nothing of the kind".repeat(100))],
    [
      "that lost its middle",
      () => {
        const store = storeAt(path, clock);
        store.close();
        const size = statSync(path).size;
        truncateSync(path, Math.floor(size / 2));
      },
    ],
  ])("%s is moved aside and a new one begun", async (_, damage) => {
    damage();
    const opened = openStore({ path, clock, phoneKey: (phone) => phone });
    expect(opened.movedAside).toStartWith(`${path}.damaged-`);
    expect(existsSync(opened.movedAside ?? "")).toBe(true);
    const outcome = await opened.store.accept(
      cloud,
      [{ kind: "message", message: message() }],
      everybody,
    );
    expect(outcome.admitted.length).toBe(1);
    opened.store.close();
  });
});

describe("the check for damage", () => {
  /** Rows enough for several pages, one of them overwritten. Everything but a whole check overlooks that. */
  const damaged = () => {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("CREATE TABLE filler (bytes BLOB)");
    for (let i = 0; i < 40; i++) db.exec("INSERT INTO filler VALUES (randomblob(2000))");
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 8 * 4096, 9 * 4096);
    writeFileSync(path, bytes);
  };

  test("is made at every start while the file is small", () => {
    storeAt(path, clock).close();
    damaged();
    expect(() => Database.open(path)).toThrow("btreeInitPage");
  });

  test("is left out for a large file after a clean end", () => {
    storeAt(path, clock).close();
    damaged();
    expect(existsSync(`${path}-wal`)).toBe(false);
    Database.open(path, 4096).close();
  });

  test.each([
    ["", () => {}],
    [
      ", behind a link too",
      () => {
        const elsewhere = join(folder, "elsewhere.db");
        renameSync(path, elsewhere);
        symlinkSync(elsewhere, path);
      },
    ],
  ])("is made for a large file after a kill%s", (_, move) => {
    Database.open(path).close();
    damaged();
    move();
    const log = `${realpathSync(path)}-wal`;
    const killed = new DatabaseSync(path);
    killed.exec("PRAGMA wal_autocheckpoint = 0");
    killed.exec("UPDATE probe SET at = 1");
    expect(statSync(log).size).toBeGreaterThan(0);
    expect(() => Database.open(path, 4096)).toThrow("btreeInitPage");
    killed.close();
  });
});

test("whether it can be written is found out by writing", async () => {
  const store = storeAt(path, clock);
  await store.checkWritable();
  store.close();
  const db = new DatabaseSync(path, { readOnly: true });
  expect(db.prepare("SELECT at FROM probe").all()).toEqual([{ at: clock.now() }]);
  db.close();
});

test("a file of a newer Revka is left alone", () => {
  storeAt(path, clock).close();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 999");
  db.close();
  expect(() => storeAt(path, clock)).toThrow(`the store ${path}: it was written by a newer Revka`);
  expect(readdirSync(folder).some((name) => name.includes("damaged"))).toBe(false);
  // Nor is it held.
  lockFile(`${path}.lock`).release();
});

test("a full store refuses, keeps what it had, and works again when there is room", async () => {
  const database = Database.open(path);
  database.sql("CREATE TABLE filler (bytes BLOB)").run();
  const pages = (database.sql("PRAGMA page_count").get() as { page_count: number }).page_count;
  database.sql(`PRAGMA max_page_count = ${pages + 2}`).get();
  const fill = () =>
    database.write(() => database.sql("INSERT INTO filler VALUES (randomblob(65536))").run());
  expect(await problemOf(fill())).toBe("full");
  const count = database.sql("SELECT count(*) AS n FROM filler").get() as { n: number };
  expect(count.n).toBe(0);
  database.sql("PRAGMA max_page_count = 1000000").get();
  expect(await problemOf(fill())).toBe("none");
  database.close();
});
