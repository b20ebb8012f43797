import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal, type StanzaPart } from "../../../src/channels/whatsapp-web/journal.ts";
import { SentMessages } from "../../../src/channels/whatsapp-web/sent-messages.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

const DAY = 86_400_000;
let folder: string;
let database: SessionDatabase;
let journal: Journal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-journal-"));
  database = SessionDatabase.open({ path: join(folder, "s.db"), env: {} });
  journal = new Journal(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const part = (name: string, more: Partial<StanzaPart> = {}): StanzaPart => ({
  part: `part-${name}`,
  stanza: `stanza-${name}`,
  parts: 1,
  attributes: { id: `id-${name}`, from: "491700000001@s.whatsapp.net" },
  ...more,
});
const text = (words: string) => Buffer.from(words);
const open = () => journal.pending(10).map(({ stanza }) => stanza);

test("a stanza waits until it is closed, in the order it came", () => {
  journal.put(part("b"), text("second? no, first"), 1);
  journal.put(part("a"), text("second"), 2);
  expect(open()).toEqual(["stanza-b", "stanza-a"]);
  journal.closing("stanza-b", "first", false)();
  expect(open()).toEqual(["stanza-a"]);
});

test("of more than are asked for, those that came first are first", () => {
  for (const name of ["c", "a", "b"]) journal.put(part(name), text(name), 1);
  const first = () => journal.pending(2).map(({ stanza }) => stanza);
  expect(first()).toEqual(["stanza-c", "stanza-a"]);
  journal.closing("stanza-c", null, false)();
  expect(first()).toEqual(["stanza-a", "stanza-b"]);
});

test("one that is put again once it is closed stays closed, and as it was", () => {
  journal.put(part("a"), text("secret"), 1);
  journal.closing("stanza-a", "sec", false)();
  journal.put(part("a", { attributes: { id: "id-a", from: "another" } }), text("other"), 2);
  expect(open()).toEqual([]);
  expect(new Journal(database).remember("id-a")).toMatchObject({
    attributes: { from: "491700000001@s.whatsapp.net" },
    preview: "sec",
  });
});

test("a row that the disk has changed is handed over as unreadable, and holds up no other", () => {
  for (const name of ["a", "b", "c"]) journal.put(part(name), text(name), 1);
  database.sql.exec("UPDATE received SET plaintext = x'00' WHERE part = 'part-a'");
  database.sql.exec("UPDATE received SET attributes = x'00' WHERE part = 'part-b'");
  const pending = journal.pending(10);
  expect(pending.map(({ stanza }) => stanza)).toEqual(["stanza-a", "stanza-b", "stanza-c"]);
  expect(pending.map(({ plaintexts }) => plaintexts.map(String))).toEqual([[], [], ["c"]]);
});

test("a stanza of several ciphertexts waits for the last", () => {
  const stanza = { stanza: "stanza-x", parts: 2 };
  journal.put(part("1", stanza), text("key"), 1);
  expect(open()).toEqual([]);
  journal.put(part("2", stanza), text("text"), 1);
  const [pending] = journal.pending(10);
  expect(pending?.plaintexts.map(String)).toEqual(["key", "text"]);
});

test("a ciphertext read before is answered from the journal; closed, with an empty message", () => {
  expect(journal.plaintextOf("part-a")).toBeUndefined();
  journal.put(part("a"), text("secret"), 1);
  expect(String(journal.plaintextOf("part-a"))).toBe("secret");
  journal.closing("stanza-a", "secret", false)();
  expect(journal.plaintextOf("part-a")).toEqual(Uint8Array.of(1));
});

test("a sender key can be handed out again", () => {
  journal.put(part("a"), text("sender key"), 1);
  journal.closing("stanza-a", null, true)();
  expect(String(journal.plaintextOf("part-a"))).toBe("sender key");
  expect(open()).toEqual([]);
});

test("what is remembered of a message: where it came from and how it began", () => {
  journal.put(part("a"), text("x"), 1);
  expect(journal.remember("id-a")).toEqual({ attributes: part("a").attributes, preview: null });
  journal.closing("stanza-a", "y".repeat(1000), false)();
  expect(journal.remember("id-a")).toEqual({
    attributes: part("a").attributes,
    preview: "y".repeat(200),
  });
  expect(journal.remember("unknown")).toBeUndefined();
});

test("where a message came from is what its first stanza said, whoever uses its id later, also after a restart", () => {
  const first = part("a");
  const other = { attributes: { id: "id-a", from: "447700900002@s.whatsapp.net" } };
  expect(journal.originOf("id-a")).toBeUndefined();
  journal.put(first, text("x"), 1);
  journal.put(part("b", other), text("y"), 2);
  expect(journal.originOf("id-a")).toEqual(first.attributes);
  journal = new Journal(database);
  expect(journal.originOf("id-a")).toEqual(first.attributes);
  journal.put(part("c", other), text("z"), 3);
  expect(journal.originOf("id-a")).toEqual(first.attributes);
});

test("a first stanza that could not be written says nothing of a message of that id", () => {
  const write = () =>
    database.transaction(() => {
      journal.put(part("a"), text("x"), 1);
      throw new Error("full");
    });
  expect(write).toThrow("full");
  const other = { attributes: { id: "id-a", from: "447700900002@s.whatsapp.net" } };
  journal.put(part("b", other), text("y"), 2);
  expect(journal.originOf("id-a")).toEqual(other.attributes);
});

test("a message can be quoted before its end is written", () => {
  journal.put(part("a"), text("x"), 1);
  const write = journal.closing("stanza-a", "hello", false);
  expect(open()).toEqual(["stanza-a"]);
  expect(journal.remember("id-a")?.preview).toBe("hello");
  write();
  expect(open()).toEqual([]);
  // Memory holds it no longer than it takes to write it.
  const unsealed = spyOn(database.seal, "open");
  expect(journal.remember("id-a")?.preview).toBe("hello");
  expect(unsealed).toHaveBeenCalledWith("received:preview:stanza-a", expect.anything());
});

test("the same ciphertext twice is one entry; a retry under the same id is another", () => {
  journal.put(part("a"), text("x"), 1);
  journal.put(part("a"), text("x"), 2);
  journal.put(part("b", { attributes: { id: "id-a" } }), text("x"), 3);
  expect(open()).toEqual(["stanza-a", "stanza-b"]);
});

test("closed entries go after eight days, open ones stay; incomplete ones are given up after fourteen", () => {
  journal.put(part("closed"), text("x"), 0);
  journal.closing("stanza-closed", null, false)();
  journal.put(part("open"), text("x"), 0);
  journal.prune(8 * DAY);
  expect(journal.plaintextOf("part-closed")).toBeDefined();
  journal.prune(8 * DAY + 1);
  expect(journal.plaintextOf("part-closed")).toBeUndefined();
  expect(open()).toEqual(["stanza-open"]);
  journal.put(part("half", { parts: 2 }), text("x"), 0);
  journal.prune(14 * DAY);
  expect(journal.plaintextOf("part-half")).toBeDefined();
  journal.prune(14 * DAY + 1);
  expect(journal.plaintextOf("part-half")).toBeUndefined();
});

test("a message without content waits for it, beside all others, also after a restart", () => {
  const placeholder = { part: "part-a", attributes: part("a").attributes };
  journal.putPlaceholder(placeholder, 1);
  journal.put(part("b"), text("x"), 2);
  expect(open()).toEqual(["stanza-b"]);
  journal = new Journal(database);
  expect(journal.placeholders()).toEqual([placeholder]);
  expect(journal.placeholders("id-a")).toEqual([placeholder]);
  expect(journal.placeholders("id-b")).toEqual([]);
  journal.fill("part-a", text("hello"), 3);
  expect(journal.placeholders()).toEqual([]);
  expect(journal.pending(10).map(({ plaintexts }) => plaintexts.map(String))).toEqual([
    ["hello"],
    ["x"],
  ]);
  journal.closing("part-a", "hello", false)();
  journal.fill("part-a", text("once more"), 4);
  journal.putPlaceholder(placeholder, 5);
  expect(open()).toEqual(["stanza-b"]);
  expect(journal.placeholders()).toEqual([]);
});

test("one that the disk has changed holds up no other", () => {
  for (const name of ["a", "b"]) {
    journal.putPlaceholder({ part: `part-${name}`, attributes: part(name).attributes }, 1);
  }
  database.sql.exec("UPDATE received SET attributes = x'00' WHERE part = 'part-a'");
  expect(journal.placeholders().map((one) => one.part)).toEqual(["part-b"]);
});

test("what the phone never sends again is given up after seven days; what it sent counts from then", () => {
  for (const name of ["a", "b"]) {
    journal.putPlaceholder({ part: `part-${name}`, attributes: part(name).attributes }, 0);
  }
  journal.prune(7 * DAY);
  expect(journal.placeholders()).toHaveLength(2);
  journal.fill("part-b", text("hello"), 7 * DAY);
  journal.prune(7 * DAY + 1);
  expect(journal.placeholders()).toEqual([]);
  journal.closing("part-b", "hello", false)();
  journal.prune(15 * DAY);
  expect(journal.remember("id-b")?.preview).toBe("hello");
});

test("of messages that nobody can read so many are kept, the newest, and no others suffer", () => {
  journal.put(part("open"), text("x"), 0);
  journal.closing("stanza-open", null, false)();
  database.transaction(() => {
    for (let n = 1; n <= 2001; n++) {
      const attributes = { ...part("a").attributes, id: `M${n}` };
      journal.putPlaceholder({ part: `part-${n}`, attributes }, 0);
      if (n % 10 === 0) journal.put(part(`between-${n}`), text("x"), 0);
    }
  });
  const ids = () => journal.placeholders().map(({ attributes }) => attributes.id);
  expect([ids().length, ids()[0], ids().at(-1)]).toEqual([1000, "M1002", "M2001"]);
  expect(journal.placeholders("M1001")).toEqual([]);
  expect(journal.placeholders("M1002")).toHaveLength(1);
  expect(journal.plaintextOf("part-open")).toBeDefined();
});

test("nor do many that come from many chats under one id", () => {
  const put = (from: number, to: number) => {
    database.transaction(() => {
      for (let n = from; n <= to; n++) {
        journal.putPlaceholder({ part: `part-${n}`, attributes: part("a").attributes }, 0);
      }
    });
  };
  put(1, 2000);
  expect(journal.placeholders()).toHaveLength(2000);
  // Those that lie there at a start count as well.
  journal = new Journal(database);
  put(2001, 2001);
  const parts = journal.placeholders().map((one) => one.part);
  expect([parts.length, parts[0], parts.at(-1)]).toEqual([1000, "part-1002", "part-2001"]);
});

test("what was acknowledged and nobody has taken over stays, however wrong the clock was when it came", () => {
  journal.put(part("open"), text("x"), 0);
  journal.prune(20_000 * DAY);
  expect(open()).toEqual(["stanza-open"]);
});

test("of more than 200000 closed entries the oldest go, of open ones none", () => {
  journal.put(part("open"), text("x"), 0);
  database.sql.exec(`INSERT INTO received (part, stanza, message_id, parts, attributes, at, done)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200001)
    SELECT 'p' || i, 's' || i, 'm' || i, 1, x'00', 0, 1 FROM n`);
  journal.prune(1);
  const known = (name: string) => journal.plaintextOf(name) !== undefined;
  expect(["p1", "p2", "p200001"].map(known)).toEqual([false, true, true]);
  expect(open()).toEqual(["stanza-open"]);
});

test("a stanza without an id is kept like any other, so that what follows it is not held up", () => {
  journal.put(part("a", { attributes: { from: "491700000001@s.whatsapp.net" } }), text("x"), 1);
  expect(open()).toEqual(["stanza-a"]);
});

test("neither text nor sender lies readable on the disk", () => {
  journal.put(part("a"), text("a secret between friends"), 1);
  journal.closing("stanza-a", "a secret between friends", true)();
  database.sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const bytes = readFileSync(join(folder, "s.db"));
  expect(bytes.includes("secret between")).toBe(false);
  expect(bytes.includes("491700000001")).toBe(false);
});

test("no statement walks through what the session keeps", () => {
  const statements: string[] = [];
  const { sql } = database;
  const prepare = sql.prepare.bind(sql);
  const spy = spyOn(sql, "prepare").mockImplementation((text) => {
    statements.push(text);
    return prepare(text);
  });
  new Journal(database);
  new SentMessages(database);
  spy.mockRestore();
  const plans = statements.flatMap((text) =>
    sql
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all()
      .map(({ detail }) => `${String(detail)}: ${text}`),
  );
  // To count what was sent, every six hours.
  expect(plans.filter((plan) => plan.startsWith("SCAN "))).toEqual([
    expect.stringMatching(/^SCAN sent USING COVERING INDEX sent_age: DELETE/),
  ]);
  expect(plans).toContainEqual(
    expect.stringMatching(/^SEARCH received USING INDEX received_stanza \(stanza=\?\): UPDATE/),
  );
  // Nearly all are finished ones, and few of these too old.
  expect(plans).toContainEqual(
    expect.stringMatching(/^SEARCH received USING INDEX received_age \(at<\?\): DELETE/),
  );
});
