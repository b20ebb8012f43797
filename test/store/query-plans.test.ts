import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SendFailure } from "../../src/channels/message.ts";
import { Database } from "../../src/store/database.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, nobody, storeAt, temporaryFolder } from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

const failure: SendFailure = { retry: "no", afterMs: null, code: "131026", hint: "undeliverable" };

/** Does everything that a store can do, joining two people's chats among it. */
async function everything(path: string): Promise<void> {
  const clock = fakeClock();
  const store = storeAt(path, clock);
  const lid = "123@lid";
  const first = message();
  const other = message({ sender: { ...nobody, lid } });
  const outcome = await store.accept(
    cloud,
    [first, other].map((each) => ({ kind: "message" as const, message: each })),
    everybody,
  );
  const chat = outcome.admitted[0]?.chat ?? 0;
  const [entry] = store.pendingMessages(chat, 1);
  await store.addAttachments(entry?.id ?? 0, [{ path: "/media/1", bytes: 1 }]);
  const content = { kind: "text" as const, text: "hi", quote: null };
  await store.finishTurn({
    chat,
    turnId: "turn",
    messages: [entry?.id ?? 0],
    history: [{ role: "user", text: "hi", messageId: entry?.id ?? 0 }],
    keepHistory: 4,
    deliveries: ["a", "b", "c"].map((id) => ({ id, content })),
  });
  await store.markSending("a");
  await store.markSent("a", "wamid.a");
  await store.markSending("b");
  await store.markAmbiguous("b", 0, failure);
  await store.markRetry("b", 0, failure);
  await store.markFailed("b", failure);
  await store.redeliver("b");
  await store.enqueue(chat, [{ id: "d", content }]);
  const { sender } = first;
  const late = message();
  const status = (deliveryId: string | null, state: "delivered" | "failed") => ({
    kind: "status" as const,
    status: { platformId: "wamid.a", deliveryId, state, timestamp: 1, failure },
  });
  await store.accept(
    cloud,
    [
      status("a", "delivered"),
      status(null, "failed"),
      status("c", "failed"),
      { kind: "edit", targetId: other.id, text: "better", sender },
      { kind: "reaction", targetId: "wamid.a", emoji: "x", sender },
      { kind: "revoke", targetId: first.id, sender },
      { kind: "revoke", targetId: late.id, sender },
      { kind: "revoke", targetId: late.id, sender: { ...sender, lid: "9@lid" } },
      { kind: "edit", targetId: "later", text: "better", sender },
      { kind: "edit", targetId: "later", text: "best", sender },
      { kind: "message", message: late },
      { kind: "message", message: message({ sender: { ...nobody, phone: sender.phone, lid } }) },
    ],
    everybody,
  );
  await store.openChat(cloud, { kind: "direct", phone: "+15550002222", userId: "US.1", lid: null });
  await store.setPaused(chat, true);
  store.chatsWithPendingMessages();
  store.chatsWithOpenDeliveries();
  store.openDelivery(chat);
  store.history(chat, 40);
  store.speaksAs(chat);
  store.counts();
  store.attachmentBytes();
  store.failedDeliveries(20);
  store.pausedChats();
  store.sources();
  store.closedWindows(clock.now());
  await store.retain({
    contentBefore: clock.now(),
    keysBefore: clock.now(),
    running: [],
    rows: 10,
  });
  await store.forgetFiles([1]);
  await store.checkWritable();
  store.close();
}

/** Once for each account at each start, and once at each start. */
const rare = /^INSERT INTO sources|^SELECT ifnull\(sum\(bytes\), 0\) AS bytes FROM attachments/;
/** Tables of one row an account, one row at all, or a few hundred, and what is no table. */
const small = /^SCAN (sources|probe|early_amendments|CONSTANT ROW)\b/;
/** Indexes of only what waits, what failed, or what is paused. */
const partial =
  /^SCAN \w+ USING (COVERING )?INDEX (inbox_waiting|outbox_open|outbox_failed|chats_paused)$/;
/** The first rows in the order of their keys, as many as the LIMIT says: retention. */
const oldestFirst = /ORDER BY (attachments\.)?(id|seq) LIMIT \+\?/;

/** Everything that a store at this path is asked and told. */
async function statementsOf(path: string): Promise<Set<string>> {
  const statements = new Set<string>();
  const original = Database.prototype.sql;
  const spy = spyOn(Database.prototype, "sql").mockImplementation(function (
    this: Database,
    text: string,
  ) {
    statements.add(text);
    return original.call(this, text);
  });
  await everything(path);
  spy.mockRestore();
  return statements;
}

test("no statement walks through a table that grows", async () => {
  const path = join(folder.path, "revka.db");
  const statements = await statementsOf(path);
  const db = new DatabaseSync(path);
  const walks = [...statements]
    .filter((text) => !rare.test(text))
    .flatMap((text) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map((row) => String(row["detail"]))
        .filter(
          (detail) => detail.startsWith("SCAN ") && !small.test(detail) && !partial.test(detail),
        )
        .filter(
          (detail) => !/^SCAN \(subquery|^SCAN \w+_?\d*$/.test(detail) || !oldestFirst.test(text),
        )
        .map((detail) => `${detail}: ${text}`),
    );
  db.close();
  expect(statements.size).toBeGreaterThan(40);
  expect(walks).toEqual([]);
});

/** SQLite plans these anew for each value that is compared with a column, or limits; `+?` it does not take into account. */
const plannedByValue = /=\s*\?.*\bORDER BY\b|\bJOIN\b.*=\s*\?|\b(LIMIT|OFFSET)\s*\?/s;

test("what every message asks in order is planned once", async () => {
  const statements = await statementsOf(join(folder.path, "revka.db"));
  expect([...statements].filter((text) => plannedByValue.test(text))).toEqual([]);
});
