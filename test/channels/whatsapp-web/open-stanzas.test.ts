import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal, type StanzaPart } from "../../../src/channels/whatsapp-web/journal.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

let folder: string;
let database: SessionDatabase;
let journal: Journal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-open-"));
  database = SessionDatabase.open({ path: join(folder, "s.db"), env: {} });
  journal = new Journal(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const part = (name: string, more: Partial<StanzaPart> = {}): StanzaPart => ({
  part: `part-${name}`,
  stanza: name,
  parts: 1,
  attributes: { id: `id-${name}` },
  ...more,
});
const text = (words: string) => Buffer.from(words);
const open = (limit = 10) =>
  journal.pending(limit).map(({ stanza, plaintexts }) => `${stanza}: ${plaintexts.join(" ")}`);

/** As the repository does it: written, then known. */
function write(one: StanzaPart, words: string): void {
  journal.put(one, text(words), 1);
  journal.open.add(one, text(words));
}

test("what was open before a start is read from the disk; what comes after, from memory", () => {
  write(part("a"), "before");
  expect(open()).toEqual(["a: before"]);
  journal.closing("a", null, false)();
  expect(open()).toEqual([]);
  const unsealed = spyOn(database.seal, "open");
  write(part("b"), "later");
  write(part("c"), "last");
  expect(open()).toEqual(["b: later", "c: last"]);
  expect(open(1)).toEqual(["b: later"]);
  journal.closing("b", null, false)();
  expect(open()).toEqual(["c: last"]);
  expect(unsealed).not.toHaveBeenCalled();
});

test("a stanza of several parts waits for the last of them", () => {
  expect(open()).toEqual([]);
  write(part("1", { stanza: "x", parts: 2 }), "key");
  write(part("b"), "between");
  expect(open()).toEqual(["b: between"]);
  write(part("2", { stanza: "x", parts: 2 }), "text");
  expect(open()).toEqual(["x: key text", "b: between"]);
});

test("an end that could not be written is found again on the disk", () => {
  expect(open()).toEqual([]);
  write(part("a"), "hello");
  journal.closing("a", null, false);
  expect(open()).toEqual([]);
  journal.open.forget();
  expect(open()).toEqual(["a: hello"]);
});

test.each([
  ["stanzas", 2100, "x"],
  ["bytes", 45, "x".repeat(100_000)],
])("more %s than fit into memory are read from the disk, none is left out", (_, count, words) => {
  expect(open()).toEqual([]);
  const names = Array.from({ length: count }, (_, index) => `n${index}`);
  const unsealed = spyOn(database.seal, "open");
  database.transaction(() => names.forEach((name) => write(part(name), words)));
  expect(open(3000)).toEqual(names.map((name) => `${name}: ${words}`));
  expect(unsealed).toHaveBeenCalled();
  database.transaction(() => names.forEach((name) => journal.closing(name, null, false)()));
  expect(open()).toEqual([]);
  write(part("after"), "y");
  expect(open()).toEqual(["after: y"]);
});

test("what was closed makes room again", () => {
  expect(open()).toEqual([]);
  const unsealed = spyOn(database.seal, "open");
  for (let round = 0; round < 60; round++) {
    write(part(`n${round}`), "x".repeat(100_000));
    expect(open()).toHaveLength(1);
    journal.closing(`n${round}`, null, false)();
  }
  expect(unsealed).not.toHaveBeenCalled();
});

test("an incomplete stanza on the disk is not forgotten when its last part comes", () => {
  write(part("1", { stanza: "x", parts: 2 }), "key");
  expect(open()).toEqual([]);
  write(part("2", { stanza: "x", parts: 2 }), "text");
  expect(open()).toEqual(["x: key text"]);
});
