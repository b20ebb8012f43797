import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../src/store/sqlite.ts";
import { fakeClock } from "../support/clock.ts";

// What a mistyped [store] path leads to must stay as it is.

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path: string) => openStore({ path, clock: fakeClock(), phoneKey: (phone) => phone });
const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a folder keeps its mode and gets nothing beside it", () => {
  const path = join(folder, "pictures");
  mkdirSync(path);
  chmodSync(path, 0o755);
  expect(() => open(path)).toThrow(
    `the store ${path}: that is no file: set [store] path to a file that is Revka's own`,
  );
  expect(modeOf(path)).toBe(0o755);
  expect(readdirSync(folder)).toEqual(["pictures"]);
});

test("a file of something else is neither moved, nor written, nor closed to others", () => {
  const path = join(folder, "passwd");
  writeFileSync(path, "root:x:0:0:root:/root:/bin/sh\n");
  chmodSync(path, 0o644);
  expect(() => open(path)).toThrow("that is a file of something else, and was left alone");
  expect(readFileSync(path, "utf8")).toStartWith("root:");
  expect(modeOf(path)).toBe(0o644);
  expect(readdirSync(folder)).toEqual(["passwd"]);
});

test.each([["other.db"], ["places.sqlite"]])(
  "a database of another program (%s) is left alone",
  (name) => {
    const path = join(folder, name);
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('a')");
    db.close();
    chmodSync(path, 0o644);
    const bytes = readFileSync(path);
    expect(() => open(path)).toThrow("that is a database of another program, and was left alone");
    expect(readFileSync(path)).toEqual(bytes);
    expect(modeOf(path)).toBe(0o644);
  },
);

test.each([
  ["by its name", "revka.db", false],
  ["by the lock of an earlier run", "store", true],
])("a store that is damaged from its first byte is known %s, and moved aside", (_, name, ran) => {
  const path = join(folder, name);
  if (ran) open(path).store.close();
  writeFileSync(path, "no database at all");
  const { store, movedAside } = open(path);
  expect(readFileSync(movedAside ?? "", "utf8")).toBe("no database at all");
  store.close();
});

test.each([["revka.db"], ["store"]])("an empty file (%s) becomes the store", (name) => {
  const path = join(folder, name);
  writeFileSync(path, "");
  chmodSync(path, 0o644);
  const { store, movedAside } = open(path);
  expect([movedAside, modeOf(path), modeOf(`${path}-wal`)]).toEqual([null, 0o600, 0o600]);
  store.close();
});
