import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { AgentReply } from "../../src/agent/agent.ts";
import type { SendResult } from "../../src/channels/message.ts";
import type { Outbox } from "../../src/conversation/outbox.ts";
import { Turns } from "../../src/conversation/turns.ts";
import type { ChatId, ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { outboxOver } from "../support/outbox.ts";
import { prepared } from "../support/prepared.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, message, nobody, storeAt, temporaryFolder } from "../support/store.ts";

// Two chats turn out to be one person's while something of the later one is under way.

const phone = "+15550001111";
const userId = "US.13491208655302741918";

let clock: FakeClock;
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let channel: FakeChannel;
let outbox: Outbox;

beforeEach(() => {
  clock = fakeClock();
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  channel = fakeChannel();
  outbox = outboxOver(store, () => channel, clock);
});
afterEach(async () => {
  await outbox.drain(0);
  store.close();
  folder.remove();
});

const pass = async (ms: number) => {
  await clock.advance(ms);
  await settle();
};
const chatWith = (identity: { phone?: string; userId?: string }): Promise<ChatId> =>
  store.openChat(cloud, { kind: "direct", phone: null, userId: null, lid: null, ...identity });
const joinThem = async () => {
  const sender = { ...nobody, phone, userId };
  await store.accept(
    cloud,
    [{ kind: "identity", sender, previousUserId: null, previousPhone: null }],
    everybody,
  );
};
const queue = async (chat: ChatId, ...ids: string[]) => {
  const contents = ids.map((id) => ({
    id,
    content: { kind: "text" as const, text: id, quote: null },
  }));
  outbox.wake(await store.enqueue(chat, contents));
  await settle();
};
const sentIds = () => channel.sent.map((delivery) => delivery.id);

test("what waited for its next try goes out in the joined chat", async () => {
  await chatWith({ phone });
  const later = await chatWith({ userId });
  const failure = { retry: "backoff" as const, afterMs: null, code: "131016", hint: "later" };
  channel.answers = [{ ok: false, failure }];
  await queue(later, "a", "b");
  await joinThem();
  await pass(3_000);
  expect(sentIds()).toEqual(["a", "a", "b"]);
});

test("what is under way is not sent a second time beside itself, and the next follows it", async () => {
  channel = fakeChannel({ repeat: "none" });
  const earlier = await chatWith({ phone });
  const later = await chatWith({ userId });
  const gate = Promise.withResolvers<SendResult>();
  channel.answers = [gate.promise];
  await queue(later, "a", "b");
  await joinThem();
  outbox.wake(earlier);
  await settle();
  expect(sentIds()).toEqual(["a"]);
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds()).toEqual(["a", "b"]);
});

for (const debounceMs of [0, 100]) {
  test(`messages that waited behind a turn are answered in the joined chat, debounce ${debounceMs}`, async () => {
    const gate = Promise.withResolvers<AgentReply>();
    const asked: string[] = [];
    const turns = new Turns({
      store,
      channelOf: () => channel,
      work: {
        store,
        agent: {
          kind: "webhook",
          run: (request) => {
            asked.push(request.messages[0]?.text ?? "");
            return asked.length === 1 ? gate.promise : Promise.resolve({ parts: [] });
          },
          probe: async () => "fine",
        },
        prepare: prepared,
        compose: async () => [],
        timeoutMs: 30_000,
        maxHistory: 4,
        systemPrompt: null,
        failureReply: "Sorry.",
        clock,
        log: silentLog,
        alarms: new Alarms(clock, silentLog),
      },
      debounceMs,
      maxConcurrent: 8,
      clock,
      log: silentLog,
      metrics: createMetrics(),
      alarms: new Alarms(clock, silentLog),
      onDeliveries: () => {},
    });
    const write = async (text: string) => {
      const each = message({ sender: { ...nobody, userId }, text });
      const { admitted } = await store.accept(cloud, [{ kind: "message", message: each }], {
        ...everybody,
      });
      turns.wake(admitted[0]?.chat ?? -1);
      await settle();
    };
    await chatWith({ phone });
    await write("one");
    await pass(debounceMs);
    await pass(1_000);
    await write("two");
    await joinThem();
    gate.resolve({ parts: [] });
    await settle();
    await pass(debounceMs);
    await settle();
    expect(asked).toEqual(["one", "two"]);
    expect(store.counts().pendingMessages).toBe(0);
    const drained = turns.drain(0);
    await pass(2_000);
    await drained;
  });
}
