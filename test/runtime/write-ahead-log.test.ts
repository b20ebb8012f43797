import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FileSync } from "../../src/runtime/file-sync.ts";
import { WriteAheadLog } from "../../src/runtime/write-ahead-log.ts";

/** Pages of 4 KiB, as SQLite makes them. */
const MOST = 20;

let folder: string;
let path: string;
let sql: DatabaseSync;
let log: WriteAheadLog;
/** Syncs that were begun, in order, and are not done yet. */
let begun: { file: "log" | "file"; done: () => void }[];
const spies: { mockRestore(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-wal-"));
  path = join(folder, "store.db");
  sql = new DatabaseSync(path);
  sql.exec("PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT)");
  log = new WriteAheadLog(sql, path, MOST * 4096);
  begun = [];
  spies.push(
    spyOn(FileSync.prototype, "begin").mockImplementation(function (this: FileSync, done) {
      begun.push({ file: this.path === path ? "file" : "log", done });
    }),
    spyOn(FileSync.prototype, "finish").mockImplementation(() => begun.shift()?.done()),
  );
});
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
  sql.close();
  log.close();
  rmSync(folder, { recursive: true, force: true });
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const write = (text: string, done = () => {}) => {
  sql.prepare("INSERT INTO note VALUES (?)").run(text.padEnd(4000));
  log.committed(done);
};
const arrive = async () => {
  begun.shift()?.done();
  await turn();
};
const pages = () => Number(sql.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.["log"]);
/** Commits until the file is being folded in, and not on the disk yet. */
const untilFolding = async () => {
  for (let n = 0; n < 2 * MOST && begun.length === 0; n++) {
    write(`note ${n}`);
    await arrive();
  }
  expect(begun.map(({ file }) => file)).toEqual(["file"]);
};
const synchronous = () => sql.prepare("PRAGMA synchronous").get()?.["synchronous"];

test("a commit is done once its log is on the disk, and the next may come", async () => {
  const heard: string[] = [];
  log.onFree = () => heard.push("free");
  write("a", () => heard.push("done"));
  expect([log.free, heard]).toEqual([false, []]);
  await arrive();
  expect([log.free, heard, begun]).toEqual([true, ["done", "free"], []]);
});

test("a log that is long is folded in; until the file is on the disk, nobody may commit", async () => {
  await untilFolding();
  expect([log.free, synchronous()]).toEqual([false, 1]);
  let free = false;
  log.onFree = () => (free = true);
  await arrive();
  expect([log.free, free]).toEqual([true, true]);
  write("the first of a new log");
  await arrive();
  expect(pages()).toBeLessThan(MOST);
  expect(begun).toEqual([]);
  await untilFolding();
  expect(pages()).toBeLessThan(MOST + 10);
});

test("a power cut while it is folded in loses nothing: the log still holds all", async () => {
  const copy = join(folder, "copy.db");
  // The file as it was on the disk before; what the fold wrote into it never came there.
  copyFileSync(path, copy);
  await untilFolding();
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  const after = new DatabaseSync(copy);
  const [there] = [after.prepare("SELECT count(*) AS n FROM note").get()];
  expect(there).toEqual(sql.prepare("SELECT count(*) AS n FROM note").get());
  expect(after.prepare("PRAGMA quick_check").get()).toEqual({ quick_check: "ok" });
  after.close();
});

test("while somebody reads what is older it grows, and is not folded in at each commit", async () => {
  const reader = new DatabaseSync(path, { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM note").get();
  await untilFolding();
  await arrive();
  let folds = 0;
  for (let n = 0; n < MOST; n++) {
    write("more");
    await arrive();
    folds += begun.filter(({ file }) => file === "file").length;
    while (begun.length > 0) await arrive();
  }
  expect(folds).toBeLessThan(3);
  expect(pages()).toBeGreaterThan(MOST);
  reader.exec("COMMIT");
  reader.close();
  await untilFolding();
  await arrive();
  write("and the next begins anew");
  await arrive();
  expect(pages()).toBeLessThan(MOST);
});

test("finishing waits for what is under way, and leaves a fold to the next commit", async () => {
  const heard: string[] = [];
  while (pages() <= MOST) {
    sql.exec(`INSERT INTO note VALUES ('${"x".repeat(4000)}')`);
  }
  write("a", () => heard.push("done"));
  log.finish();
  expect([heard, log.free]).toEqual([["done"], true]);
  await turn();
  expect(begun).toEqual([]);
  write("b");
  await arrive();
  expect(begun.map(({ file }) => file)).toEqual(["file"]);
  log.finish();
  expect(log.free).toBe(true);
});

test("a log whose length cannot be told ends nothing", async () => {
  sql.close();
  log.committed(() => {});
  await arrive();
  expect(log.free).toBe(true);
  sql = new DatabaseSync(path);
});

test("who hears of a commit may commit and wait at once: nothing is folded in while others may commit", async () => {
  while (pages() <= MOST) {
    sql.exec(`INSERT INTO note VALUES ('${"x".repeat(4000)}')`);
  }
  write("a", () => {
    log.finish();
    write("b");
    log.finish();
  });
  begun.shift()?.done();
  expect([log.free, begun]).toEqual([true, []]);
  await turn();
  expect([log.free, begun]).toEqual([true, []]);
  write("c");
  await arrive();
  expect([log.free, begun.map(({ file }) => file)]).toEqual([false, ["file"]]);
});

test("finishing waits for what is committed meanwhile, too", () => {
  const heard: string[] = [];
  write("a", () => write("b", () => heard.push("b")));
  log.finish();
  expect([heard, log.free, begun]).toEqual([["b"], true, []]);
});

test("SQLite itself neither syncs a commit nor folds", () => {
  const [row] = sql.prepare("PRAGMA wal_autocheckpoint").all();
  expect([synchronous(), Object.values(row ?? {})]).toEqual([1, [0]]);
});

test.each([
  ["a full disk keeps in the log what is there", 13, undefined],
  ["of a disk that fails nothing is taken for granted", 10, "no"],
  ["nor of one that fails in some more special way", 10 | (4 << 8), "no"],
])("at the opening, %s", (_, errcode, thrown) => {
  const run = sql.exec.bind(sql);
  const exec = spyOn(sql, "exec").mockImplementation((text) => {
    if (!text.includes("TRUNCATE")) return run(text);
    throw Object.assign(new Error("no"), { errcode });
  });
  const said = () => {
    try {
      return void new WriteAheadLog(sql, path, MOST * 4096).close();
    } catch (error) {
      return error instanceof Error ? error.message : "something else";
    }
  };
  expect(said()).toBe(thrown);
  exec.mockRestore();
});
