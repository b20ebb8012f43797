import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { Outbox } from "../../src/conversation/outbox.ts";
import { Turns } from "../../src/conversation/turns.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { outboxOver } from "../support/outbox.ts";
import { prepared } from "../support/prepared.ts";
import { settle } from "../support/settle.ts";
import {
  cloud,
  everybody,
  message,
  recipientAt,
  storeAt,
  temporaryFolder,
} from "../support/store.ts";

// A machine without a battery-backed clock starts with a wrong date, and the network puts it right later.

let timers: FakeClock;
let offset: number;
let clock: Clock;
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let channel: FakeChannel;
let outbox: Outbox;
const year = 365 * 86_400_000;

beforeEach(() => {
  timers = fakeClock();
  offset = 0;
  clock = { now: () => timers.now() + offset, after: (ms, callback) => timers.after(ms, callback) };
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
  await timers.advance(ms);
  await settle();
};
const queue = async (id: string) => {
  const chat = await store.openChat(cloud, recipientAt("+15550001111"));
  await store.enqueue(chat, [{ id, content: { kind: "text", text: id, quote: null } }]);
  outbox.wake(chat);
  await settle();
  return chat;
};

for (const [retry, wait] of [
  ["backoff", 2_000],
  ["ambiguous", 60_000],
] as const) {
  test(`a delivery that waits (${retry}) is tried again after the wait it was given`, async () => {
    const failure = { retry, afterMs: null, code: "code", hint: "hint" };
    channel.answers = [{ ok: false, failure }];
    const chat = await queue("a");
    offset = -year;
    outbox.wake(chat);
    await settle();
    await pass(wait - 500);
    expect(channel.sent.length).toBe(1);
    await pass(1_000);
    expect(channel.sent.length).toBe(2);
  });
}

test("a delivery that a kill left in doubt waits the grace and no year", async () => {
  const chat = await queue("a");
  await store.enqueue(chat, [{ id: "b", content: { kind: "text", text: "b", quote: null } }]);
  await store.markSending("b");
  offset = -year;
  outbox.wake(chat);
  await settle();
  await pass(61_000);
  expect(channel.sent.map((delivery) => delivery.id)).toEqual(["a", "b"]);
});

test("a burst is over after its longest wait, whatever time its messages bear", async () => {
  let asked = 0;
  const turns = new Turns({
    store,
    channelOf: () => channel,
    work: {
      store,
      agent: {
        kind: "echo",
        async run() {
          asked++;
          return { parts: [] };
        },
        probe: async () => "fine",
      },
      prepare: prepared,
      compose: async () => [],
      timeoutMs: 30_000,
      maxHistory: 4,
      systemPrompt: null,
      failureReply: "",
      clock,
      log: silentLog,
      alarms: new Alarms(clock, silentLog),
    },
    debounceMs: 100,
    maxConcurrent: 8,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    alarms: new Alarms(clock, silentLog),
    onDeliveries: () => {},
  });
  await store.accept(cloud, [{ kind: "message", message: message() }], everybody);
  offset = -year;
  turns.start();
  await pass(301);
  expect(asked).toBe(1);
  const drained = turns.drain(0);
  await pass(2_000);
  await drained;
});

test("what came in last is told by the clock as it is now", async () => {
  const accept = () => store.accept(cloud, [{ kind: "message", message: message() }], everybody);
  await accept();
  offset = -year;
  await accept();
  expect(store.sources()[0]?.lastInboundAt).toBe(clock.now());
});
