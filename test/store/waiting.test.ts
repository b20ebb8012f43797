import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Database } from "../../src/store/database.ts";
import { Waiting } from "../../src/store/waiting.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, storeAt, temporaryFolder } from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
let database: Database;
let waiting: Waiting;

beforeEach(() => {
  folder = temporaryFolder();
  database = Database.open(join(folder.path, "revka.db"));
  database.sql("INSERT INTO sources VALUES (1, 'whatsapp', 'default', 'cloud', 0, 0, NULL)").run();
  for (const chat of [1, 2]) {
    database
      .sql("INSERT INTO chats (id, source, kind, group_id) VALUES (?, 1, 'group', ?)")
      .run(chat, `${chat}`);
  }
  waiting = new Waiting(database);
});
afterEach(() => {
  database.close();
  folder.remove();
});

/** A row of the inbox, told to `waiting` as the inbox does. */
function arrive(id: number, chat: number): void {
  database
    .sql(
      "INSERT INTO inbox (id, source, platform_id, chat, state, received_at, bytes, message) VALUES (?, 1, ?, ?, 0, 0, 10, '{}')",
    )
    .run(id, `wamid.${id}`, chat);
  waiting.add(chat, id, 10);
}

test("what waits is known by chat, oldest first, and counted", () => {
  expect(waiting.chats()).toEqual([]);
  for (const [id, chat] of [
    [1, 2],
    [2, 1],
    [3, 2],
  ] as const) {
    arrive(id, chat);
  }
  expect(waiting.chats()).toEqual([2, 1]);
  expect(waiting.of(2)).toEqual([1, 3]);
  expect([waiting.messages, waiting.bytes]).toEqual([3, 30]);
  waiting.remove(2, 1, 10);
  waiting.remove(2, 1, 10);
  expect(waiting.chats()).toEqual([1, 2]);
  waiting.remove(1, 2, 10);
  expect(waiting.chats()).toEqual([2]);
  expect([waiting.messages, waiting.bytes]).toEqual([1, 10]);
});

test("what was forgotten is read from the file, and a row that came meanwhile counts once", () => {
  arrive(1, 1);
  waiting.forget();
  arrive(2, 1);
  expect(waiting.of(1)).toEqual([1, 2]);
  expect([waiting.messages, waiting.bytes]).toEqual([2, 20]);
  database.sql("UPDATE inbox SET state = 1 WHERE id = 1").run();
  waiting.forget();
  waiting.remove(1, 1, 10);
  expect(waiting.of(1)).toEqual([2]);
  expect(waiting.messages).toBe(1);
});

test("joined chats wait as one, in the order of arrival, in the file too", () => {
  arrive(1, 1);
  arrive(2, 2);
  arrive(3, 1);
  waiting.move(2, 1);
  waiting.move(2, 1);
  waiting.move(3, 2);
  expect(waiting.chats()).toEqual([1]);
  expect(waiting.of(1)).toEqual([1, 2, 3]);
  expect(waiting.messages).toBe(3);
  waiting.forget();
  expect(waiting.of(1)).toEqual([1, 2, 3]);
});

test("a store of before, with messages that wait, goes on where it was", async () => {
  const path = join(folder.path, "old.db");
  const store = storeAt(path, fakeClock());
  const events = [message(), message()].map((each) => ({
    kind: "message" as const,
    message: each,
  }));
  const { admitted } = await store.accept(cloud, events, everybody);
  store.close();
  const db = new DatabaseSync(path);
  db.exec(`DROP INDEX inbox_waiting; DROP TABLE early_amendments; ALTER TABLE history DROP COLUMN lead; PRAGMA user_version = 2;
    ALTER TABLE inbox DROP COLUMN at_least; ALTER TABLE outbox DROP COLUMN at_least; ALTER TABLE history DROP COLUMN at_least;
    ALTER TABLE sources DROP COLUMN number;
    ALTER TABLE outbox DROP COLUMN unanswered;
    ALTER TABLE inbox DROP COLUMN edited_at; ALTER TABLE inbox DROP COLUMN writer;
    CREATE INDEX inbox_pending ON inbox (chat, id) WHERE state = 0;`);
  db.close();
  const again = storeAt(path, fakeClock());
  const chat = admitted[0]?.chat ?? 0;
  expect(again.chatsWithPendingMessages()).toEqual([chat]);
  const ids = (most: number) => again.pendingMessages(chat, most).map((each) => each.message.id);
  const all = events.map((event) => event.message.id);
  expect([ids(9), ids(1)]).toEqual([all, all.slice(0, 1)]);
  expect(again.counts().pendingMessages).toBe(2);
  expect((await again.accept(cloud, events, everybody)).duplicates).toBe(2);
  again.close();
});
