import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { doctorTrial } from "../../support/doctor-trial.ts";

const trial = doctorTrial();
const { cloud, doctor } = trial;

const damages: [string, (path: string) => void][] = [
  ["all of it", (path) => writeFileSync(path, "not a database, but long enough".repeat(99))],
  [
    "a page of it",
    (path) => {
      const database = new DatabaseSync(path);
      database.exec("BEGIN; CREATE TABLE inbox (id); CREATE INDEX ids ON inbox (id)");
      for (let i = 0; i < 500; i++) {
        database.exec("INSERT INTO inbox VALUES (hex(randomblob(20)))");
      }
      database.exec("COMMIT");
      database.close();
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(7, 4096 * 3, 4096 * 3 + 1000));
    },
  ],
];
test.each(damages)("a damaged store is an error: %s", async (_, damage) => {
  await cloud();
  const path = join(trial.home, "revka.db");
  damage(path);
  chmodSync(path, 0o600);
  const { code, find } = await doctor();
  expect(code).toBe(1);
  expect(find("store", "database")).toMatchObject({
    level: "error",
    message: expect.stringMatching(/revka\.db: it is damaged \([^\n]+\)$/),
    next: expect.stringContaining("restore a backup"),
  });
});

test("a store that cannot be opened is not called damaged: no backup is to be laid over it", async () => {
  await cloud();
  const path = join(trial.home, "revka.db");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE inbox (id)");
  database.close();
  chmodSync(path, 0o600);
  // As where the account may not make it there.
  mkdirSync(`${path}-wal`);
  const { find } = await doctor();
  expect(find("store", "database")).toMatchObject({
    level: "error",
    message: `${path} cannot be opened and written by this account`,
    next: "run this as the daemon's account, or give that account the file and its folder, on a disk that is not mounted read-only",
  });
});

test("a store that is a folder is not called damaged, and a home that is a file not one to chmod", async () => {
  await cloud({}, `[store]\npath = "${trial.home}"`);
  const { find } = await doctor();
  expect(find("store", "database")).toMatchObject({
    level: "error",
    message: `${trial.home} is no file`,
  });
  const file = join(trial.home, "file");
  writeFileSync(file, "");
  trial.env = { ...trial.env, REVKA_HOME: file, REVKA_CONFIG: join(trial.home, "config.toml") };
  expect((await doctor()).find("config", "home")).toMatchObject({
    level: "error",
    message: `${file} is no folder`,
  });
});

test.each([
  ["a database of another program", "other.db"],
  ["a file of something else", "notes.txt"],
])("%s is neither sound nor damaged, and nobody's to close", async (what, name) => {
  const path = join(trial.home, name);
  if (name === "other.db") {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE bookmarks (url TEXT)");
    database.close();
  } else writeFileSync(path, "dear diary");
  chmodSync(path, 0o644);
  await cloud({}, `[store]\npath = "${path}"`);
  const { code, find } = await doctor();
  expect(code).toBe(1);
  expect(find("store", "database")).toMatchObject({
    level: "error",
    message: `${path}: that is ${what}`,
    next: "set [store] path to a file that is Revka's own",
  });
  expect(find("store", "database mode")).toBeUndefined();
});

test("a store is not promised where none can be made", async () => {
  const file = join(trial.home, "notes.txt");
  writeFileSync(file, "");
  await cloud({}, `[store]\npath = "${file}/deep/revka.db"`);
  const under = await doctor();
  expect(under.find("store", "database")).toMatchObject({
    level: "error",
    message: `${file} is no folder`,
  });
  expect(under.find("store", "space")?.message).toEndWith(`are free in ${trial.home}`);
  const link = join(trial.home, "link.db");
  symlinkSync("/nowhere/revka.db", link);
  await cloud({}, `[store]\npath = "${link}"`);
  expect((await doctor()).find("store", "database")).toMatchObject({
    level: "error",
    message: `${link} is a link to nothing`,
  });
});
