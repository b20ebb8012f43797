import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "../../src/store/database.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { fakeClock } from "../support/clock.ts";
import { storeAt } from "../support/store.ts";

// Where the file lies: in a folder that is there or not, or behind a link.

const clock = fakeClock();
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-test-"));
  path = join(folder, "revka.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the folder of the store is made where it is missing", () => {
  path = join(folder, "new", "folder", "revka.db");
  storeAt(path, clock).close();
  expect(statSync(join(folder, "new")).mode & 0o777).toBe(0o700);
});

test("a folder that cannot be made is named", () => {
  writeFileSync(join(folder, "file"), "");
  path = join(folder, "file", "revka.db");
  expect(() => storeAt(path, clock)).toThrow(
    `the store ${path}: its folder cannot be made: see to [store] path`,
  );
});

test("a store may be a link, to another disk for instance", async () => {
  const elsewhere = join(folder, "elsewhere.db");
  Database.open(elsewhere).close();
  symlinkSync(elsewhere, path);
  const database = Database.open(path);
  await database.write(() => database.sql("UPDATE probe SET at = 7").run());
  expect(statSync(`${elsewhere}-wal`).size).toBeGreaterThan(0);
  database.close();
});

test("two links to one store open it once", () => {
  const elsewhere = join(folder, "elsewhere.db");
  const other = join(folder, "other.db");
  storeAt(elsewhere, clock).close();
  for (const link of [path, other]) symlinkSync(elsewhere, link);
  const store = storeAt(path, clock);
  for (const name of [other, elsewhere]) {
    expect(() => storeAt(name, clock)).toThrow(`another Revka runs on the store ${name}`);
  }
  store.close();
});

test("behind a link the damaged file itself is moved aside, and its place taken anew", () => {
  const elsewhere = join(folder, "elsewhere.db");
  writeFileSync(elsewhere, "not a database, but long enough".repeat(99));
  symlinkSync(elsewhere, path);
  const { store, movedAside } = openStore({ path, clock, phoneKey: (phone) => phone });
  expect(movedAside).toStartWith(`${elsewhere}.damaged-`);
  expect(realpathSync(path)).toBe(elsewhere);
  store.close();
});

test("a link to a file that is yet to be made is one store from the first start on", () => {
  symlinkSync(join(folder, "elsewhere.db"), path);
  const store = storeAt(path, clock);
  expect(() => storeAt(path, clock)).toThrow("another Revka runs on the store");
  expect(() => storeAt(join(folder, "elsewhere.db"), clock)).toThrow("another Revka runs");
  store.close();
});

test("a link to nothing is not called a folder", () => {
  symlinkSync("/nowhere/revka.db", path);
  expect(() => storeAt(path, clock)).toThrow(`the store ${path}: it cannot be made: see to`);
});
