import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { InboundEvent, Message, Sender } from "../../src/channels/message.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, nobody, storeAt, temporaryFolder } from "../support/store.ts";

const clock = fakeClock();
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;

beforeEach(() => {
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
});
afterEach(() => {
  store.close();
  folder.remove();
});

const phone = "+491700000001";

async function chatOf(changes: Partial<Message>): Promise<number> {
  const event: InboundEvent = { kind: "message", message: message(changes) };
  const { admitted } = await store.accept(cloud, [event], everybody);
  return admitted[0]?.chat ?? 0;
}

/** The platform says that these identities are one person. */
async function learn(sender: Sender): Promise<void> {
  const previous = { previousUserId: null, previousPhone: null };
  await store.accept(cloud, [{ kind: "identity", sender, ...previous }], everybody);
}

test("a chat that was read before is read as it is now: paused or not, its window, who it is with", async () => {
  const chat = await chatOf({ sender: { ...nobody, phone }, timestamp: 1_600_000_000 });
  expect(store.chat(chat)).toMatchObject({ paused: false, lastInboundAt: 1_600_000_000_000 });
  await store.setPaused(chat, true);
  expect(store.chat(chat)?.paused).toBe(true);
  await store.setPaused(chat, false);
  expect(store.chat(chat)?.paused).toBe(false);
  await chatOf({ sender: { ...nobody, phone }, timestamp: 1_600_000_600 });
  expect(store.chat(chat)?.lastInboundAt).toBe(1_600_000_600_000);
  expect(store.chat(chat)?.recipient).toMatchObject({ phone, lid: null });
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect(store.chat(chat)?.recipient).toMatchObject({ phone, lid: "77@lid" });
});

test("chats that turn out to be one are read as that one, though each was read before", async () => {
  const one = await chatOf({ sender: { ...nobody, phone } });
  const other = await chatOf({ sender: { ...nobody, lid: "77@lid" } });
  expect([store.chat(one)?.id, store.chat(other)?.id]).toEqual([one, other]);
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect([store.chat(one)?.id, store.chat(other)?.id]).toEqual([one, one]);
  expect(store.chat(other)?.recipient).toMatchObject({ phone, lid: "77@lid" });
});

test("an account that changes its backend is read with the new one", async () => {
  const chat = await chatOf({ sender: { ...nobody, phone } });
  expect(store.chat(chat)?.source.backend).toBe("cloud");
  const event: InboundEvent = { kind: "message", message: message() };
  await store.accept({ ...cloud, backend: "web" }, [event], everybody);
  expect(store.chat(chat)?.source.backend).toBe("web");
});
