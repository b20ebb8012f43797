import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupCommit } from "../../../src/channels/whatsapp-web/group-commit.ts";
import { KeyStore } from "../../../src/channels/whatsapp-web/key-store.ts";
import { FileSync } from "../../../src/runtime/file-sync.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

let folder: string;
let database: SessionDatabase;
let store: KeyStore;
let commit: GroupCommit;
let broken: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-commit-"));
  database = SessionDatabase.open({ path: join(folder, "s.db"), env: {} });
  store = new KeyStore(database);
  commit = new GroupCommit(database, store);
  broken = [];
  commit.onFailed = (error) => broken.push(error);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const put = (id: string, held: string | null, ...alongside: (() => void)[]) =>
  commit.stage({ changes: [{ type: "pre-key", id, held }], alongside });
const get = (id: string) => commit.get("pre-key", id);
const onDisk = (id: string) => store.get("pre-key", id);
const refuse = () => {
  throw new Error("disk full");
};

test("what is staged is read at once, also that it is gone, and later as it was written", async () => {
  put("1", '"a"');
  put("2", '"b"');
  expect([get("1"), get("2"), onDisk("1")]).toEqual(['"a"', '"b"', undefined]);
  await commit.written();
  put("1", null);
  put("2", '"c"');
  expect([get("1"), get("2"), onDisk("1")]).toEqual([undefined, '"c"', '"a"']);
  await commit.written();
  expect([get("1"), get("2")]).toEqual([undefined, '"c"']);
  expect([onDisk("1"), onDisk("2")]).toEqual([undefined, '"c"']);
});

test("of several values of one turn the last is written", async () => {
  put("1", '"a"');
  put("1", null);
  put("1", '"b"');
  put("2", '"a"');
  put("2", null);
  await commit.written();
  expect([onDisk("1"), onDisk("2")]).toEqual(['"b"', undefined]);
});

test("what was read or written is asked of the disk no more", async () => {
  put("1", '"a"');
  await commit.written();
  const asked = spyOn(store, "get");
  expect([get("1"), get("1"), get("none"), get("none")]).toEqual([
    '"a"',
    '"a"',
    undefined,
    undefined,
  ]);
  expect(asked.mock.calls).toEqual([["pre-key", "none"]]);
});

test("what is written is written once", async () => {
  const applied = spyOn(store, "apply");
  put("1", '"a"');
  await commit.written();
  put("2", '"b"');
  await commit.written();
  expect(applied.mock.calls.flatMap(([changes]) => [...changes].map(({ id }) => id))).toEqual([
    "1",
    "2",
  ]);
});

test("nothing staged is nothing to wait for", async () => {
  commit.stage({ changes: [], alongside: [] });
  expect(commit.waits).toBe(false);
  let heard = false;
  commit.afterwards(() => (heard = true));
  expect(heard).toBe(true);
  await commit.written();
  put("1", '"a"');
  expect(commit.waits).toBe(true);
  commit.flush();
  expect([commit.waits, onDisk("1")]).toEqual([false, '"a"']);
});

test("all of one turn is one write, also what has no key of its own", async () => {
  const heard: string[] = [];
  put("1", '"a"', () => heard.push("first"));
  commit.afterwards(() => heard.push("on disk"));
  commit.stage({ changes: [], alongside: [() => heard.push("second")] });
  await commit.written();
  expect(heard).toEqual(["first", "second", "on disk"]);
  commit.stage({ changes: [], alongside: [() => heard.push("third")] });
  await commit.written();
  expect(heard).toContain("third");
});

test("nothing is written while the last write is on its way to the disk, whatever was planned before", async () => {
  const write = database.commit.bind(database);
  const free: boolean[] = [];
  spyOn(database, "commit").mockImplementation((work) => {
    free.push(database.log.free);
    write(work);
  });
  const alongside = (...writes: (() => void)[]) => commit.stage({ changes: [], alongside: writes });
  put("1", '"a"');
  commit.flush();
  alongside(() => alongside(() => {}));
  await commit.written();
  await commit.written();
  expect(free).toEqual([true, true, true]);
});

test("who waits is told in order, once it is on disk; what is staged meanwhile is the next write", async () => {
  const heard: string[] = [];
  put("1", '"a"', () => heard.push("alongside"));
  for (const name of ["first", "second"]) {
    commit.afterwards(() => {
      heard.push(`${name} ${onDisk("1")}`);
      put("2", '"b"');
    });
  }
  expect(heard).toEqual([]);
  commit.flush();
  expect(heard).toEqual(["alongside", 'first "a"', 'second "a"']);
  expect([commit.waits, onDisk("2")]).toEqual([true, undefined]);
  await commit.written();
  expect(onDisk("2")).toBe('"b"');
});

describe("while a write is on its way to the disk", () => {
  let arrived: (() => void)[];
  const spies: { mockRestore(): void }[] = [];
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  beforeEach(() => {
    arrived = [];
    spies.push(
      spyOn(FileSync.prototype, "begin").mockImplementation((done) => void arrived.push(done)),
      spyOn(FileSync.prototype, "finish").mockImplementation(() => arrived.shift()?.()),
    );
  });
  afterEach(() => {
    for (const spy of spies.splice(0)) spy.mockRestore();
  });

  test("nobody hears of it, and what is staged meanwhile waits for the next", async () => {
    const heard: string[] = [];
    put("1", '"a"');
    commit.afterwards(() => heard.push("first"));
    await turn();
    commit.afterwards(() => heard.push("late"));
    put("2", '"b"');
    commit.afterwards(() => heard.push("second"));
    await turn();
    expect([heard, onDisk("1"), onDisk("2")]).toEqual([[], '"a"', undefined]);
    expect([get("1"), get("2"), commit.waits]).toEqual(['"a"', '"b"', true]);

    arrived.shift()?.();
    expect(heard).toEqual(["first", "late"]);
    await turn();
    expect([onDisk("2"), commit.waits]).toEqual(['"b"', true]);
    arrived.shift()?.();
    expect([heard, commit.waits]).toEqual([["first", "late", "second"], false]);
  });

  test("flushing waits for it and for what was staged since", async () => {
    const heard: string[] = [];
    put("1", '"a"');
    commit.afterwards(() => heard.push("first"));
    await turn();
    put("2", '"b"');
    commit.afterwards(() => heard.push("second"));
    commit.flush();
    expect([heard, onDisk("2"), commit.waits]).toEqual([["first", "second"], '"b"', false]);
  });
});

describe("a write that fails", () => {
  test("tells all who wait, and nobody that it was done; nothing of it is read or written", async () => {
    put("1", '"before"');
    await commit.written();
    const heard: string[] = [];
    put("1", '"lost"');
    put("2", '"lost"', refuse);
    for (const name of ["first", "second"]) {
      commit.afterwards(
        () => heard.push(`${name} done`),
        (error) => heard.push(`${name} ${error}`),
      );
    }
    // Nobody has to listen.
    commit.afterwards(() => heard.push("third done"));
    const { generation } = commit;
    commit.flush();
    expect(heard).toEqual(["first Error: disk full", "second Error: disk full"]);
    expect(broken).toEqual([new Error("disk full")]);
    expect(commit.generation).toBeGreaterThan(generation);
    expect([get("1"), get("2"), onDisk("1"), onDisk("2")]).toEqual([
      '"before"',
      undefined,
      '"before"',
      undefined,
    ]);
    put("3", '"next"');
    await commit.written();
    expect([onDisk("1"), onDisk("2"), onDisk("3")]).toEqual(['"before"', undefined, '"next"']);
  });
});

describe("a read that fails", () => {
  const failing = (errcode: unknown) => () => {
    throw Object.assign(new Error("no"), { errcode });
  };

  test.each([
    ["busy", 5],
    ["out of memory", 7],
    ["an I/O error", 10],
    ["an I/O error, told in full", 10 | (1 << 8)],
    ["a full disk", 13],
    ["a file that cannot be opened", 14],
  ])("for %s lets nothing out any more, since it may pass", (_name, errcode) => {
    const { generation } = commit;
    expect(() => commit.reading(failing(errcode))).toThrow("no");
    expect([broken.length, commit.generation]).toEqual([1, generation + 1]);
  });

  test.each([
    ["damage", 11],
    ["something that SQLite does not name", "SQLITE_FULL"],
    ["no error of SQLite's", undefined],
  ])("for %s is the reader's alone", (_name, errcode) => {
    const { generation } = commit;
    expect(() => commit.reading(failing(errcode))).toThrow("no");
    expect([broken.length, commit.generation]).toEqual([0, generation]);
  });

  test("is told of keys too", () => {
    spyOn(store, "get").mockImplementation(failing(10));
    expect(() => get("1")).toThrow("no");
    expect(broken).toHaveLength(1);
  });
});
