import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SentMessages } from "../../../src/channels/whatsapp-web/sent-messages.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

const DAY = 86_400_000;
let folder: string;
let database: SessionDatabase;
let sent: SentMessages;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-sent-"));
  database = SessionDatabase.open({ path: join(folder, "s.db"), env: {} });
  sent = new SentMessages(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const message = (text: string, delivery: string | null = null) => ({
  ...{ chat: "491700000001@s.whatsapp.net", delivery },
  message: { conversation: text },
});

test("what was sent is known by its id: the message, its chat, its delivery", () => {
  sent.putting("A", message("hello", "delivery-1"), 0)();
  sent.putting("B", message("note"), 0)();
  expect(sent.get("A")).toMatchObject(message("hello", "delivery-1"));
  expect(sent.get("B")).toMatchObject(message("note"));
  expect(["A", "B", "C"].map((id) => sent.has(id))).toEqual([true, true, false]);
  expect(["A", "B", "C"].map((id) => sent.deliveryOf(id))).toEqual(["delivery-1", null, undefined]);
  expect(sent.get("C")).toBeUndefined();
});

test("a repeat does not change what a phone may ask for again", () => {
  sent.putting("A", message("first", "delivery-1"), 0)();
  sent.putting("A", message("second", "delivery-2"), 1)();
  expect(sent.get("A")).toMatchObject({ ...message("first", "delivery-1"), at: 1 });
  expect(sent.deliveryOf("A")).toBe("delivery-1");
});

test("it is kept for fourteen days", () => {
  sent.putting("A", message("hello"), 0)();
  sent.prune(14 * DAY);
  expect(sent.has("A")).toBe(true);
  sent.prune(14 * DAY + 1);
  expect(sent.has("A")).toBe(false);
});

test("of more than 20000 the oldest go", () => {
  database.sql
    .exec(`INSERT INTO sent WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)
    SELECT 'id' || i, NULL, 'chat', x'00', 100000 - i FROM n`);
  sent.prune(100_000);
  expect(database.sql.prepare("SELECT count(*) AS n FROM sent").get()).toEqual({ n: 20_000 });
  expect(["id0", "id19999", "id20000"].map((id) => sent.has(id))).toEqual([true, true, false]);
});

test("its text does not lie readable on the disk, and is not taken for that of another id", () => {
  sent.putting("A", message("a secret between friends"), 0)();
  sent.putting("B", message("other"), 0)();
  database.sql.exec("UPDATE sent SET body = (SELECT body FROM sent WHERE id = 'A') WHERE id = 'B'");
  expect(() => sent.get("B")).toThrow();
  database.sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  expect(readFileSync(join(folder, "s.db")).includes("secret between")).toBe(false);
});
