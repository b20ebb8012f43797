import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { InboundEvent } from "../../src/channels/message.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { fakeClock } from "../support/clock.ts";
import {
  cloud,
  everybody,
  message,
  nobody,
  recipientAt,
  storeAt,
  temporaryFolder,
} from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;

beforeEach(() => {
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), fakeClock());
});
afterEach(() => {
  store.close();
  folder.remove();
});

const react = (targetId: string, emoji: string | null) => {
  const sender = { ...nobody, phone: "+15550001111" };
  const event: InboundEvent = { kind: "reaction", targetId, emoji, sender };
  return store.accept(cloud, [event], everybody);
};
const kept = (table: "inbox" | "outbox") => {
  const file = new DatabaseSync(join(folder.path, "revka.db"), { readOnly: true });
  const rows = file.prepare(`SELECT reaction FROM ${table}`).all();
  file.close();
  return rows.map(({ reaction }) => reaction);
};

test("a reaction is kept with the message it is to, the last one counts, and it starts no turn", async () => {
  const hers = message();
  await store.accept(cloud, [{ kind: "message", message: hers }], everybody);
  await react(hers.id, "👍");
  expect(kept("inbox")).toEqual(["👍"]);
  await react(hers.id, "🎉");
  expect(kept("inbox")).toEqual(["🎉"]);
  await react(hers.id, null);
  expect(kept("inbox")).toEqual([null]);
  expect(store.counts().pendingMessages).toBe(1);
});

test("a reaction to an answer is kept with that; one to nothing known changes nothing", async () => {
  const chat = await store.openChat(cloud, recipientAt("+15550001111"));
  await store.enqueue(chat, [{ id: "d1", content: { kind: "text", text: "hi", quote: null } }]);
  await store.markSending("d1");
  await store.markSent("d1", "wamid.sent");
  await react("wamid.sent", "❤️");
  await react("wamid.unknown", "👎");
  expect(kept("outbox")).toEqual(["❤️"]);
});
