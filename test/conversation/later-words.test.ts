import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Deliver } from "../../src/channels/channel.ts";
import type { DeliveryState, SendFailure, SendResult } from "../../src/channels/message.ts";
import { Inbox } from "../../src/conversation/inbox.ts";
import type { Outbox } from "../../src/conversation/outbox.ts";
import type { ChatId, ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { outboxOver } from "../support/outbox.ts";
import { settle } from "../support/settle.ts";
import { cloud, recipientAt, storeAt, temporaryFolder } from "../support/store.ts";

// What a platform says of a message after, or instead of, its answer.

let clock: FakeClock;
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let channel: FakeChannel;
let alarms: Alarms;
let metrics: Metrics;
let outbox: Outbox;
let receive: Deliver;

beforeEach(() => {
  clock = fakeClock();
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  channel = fakeChannel();
  alarms = new Alarms(clock, silentLog);
  metrics = createMetrics();
  outbox = outboxOver(store, () => channel, clock, alarms, metrics);
  const inbox = new Inbox({
    store,
    limits: { maxPendingMessages: 9, maxPendingBytes: 9_999, maxPendingPerChat: 9 },
    clock,
    log: silentLog,
    metrics,
    alarms,
    pauseAfter: (failure, attempts) => outbox.pauseAfter(failure, attempts),
    onMessages: () => {},
    onMoved: ({ chat, delivery, failure }) => {
      if (failure) outbox.failedLater(chat, delivery, failure);
      else outbox.confirmedLater(chat, delivery);
    },
  });
  receive = inbox.receiver(cloud, (message) => ({ admitted: true, message }));
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
async function send(...ids: string[]): Promise<ChatId> {
  const chat = await store.openChat(cloud, recipientAt("+15550001111"));
  const deliveries = ids.map((id) => ({
    id,
    content: { kind: "text" as const, text: id, quote: null },
  }));
  await store.enqueue(chat, deliveries);
  outbox.wake(chat);
  await settle();
  return chat;
}
async function hear(
  id: string,
  state: DeliveryState,
  failure: SendFailure | null = null,
  platformId = `wamid.out.${id}`,
) {
  const status = { platformId, deliveryId: id, state, timestamp: 1, failure };
  await receive([{ kind: "status", status }]);
  await settle();
}
const failure = (retry: SendFailure["retry"]): SendFailure => ({
  retry,
  afterMs: null,
  code: "code",
  hint: "hint",
});
const sentIds = () => channel.sent.map((delivery) => delivery.id);
const counted = () =>
  metrics.deliveries.get().values.map(({ labels, value }) => `${labels.outcome} ${value}`);

describe("a failure that the platform reports later", () => {
  test("for good is kept as failed, counted, and shown", async () => {
    await send("a");
    await hear("a", "failed", failure("no"));
    expect(outbox.lastFailure(cloud)).toMatchObject({ at: clock.now(), code: "code" });
    await pass(600_000);
    expect(sentIds()).toEqual(["a"]);
    expect(store.delivery("a")).toMatchObject({ state: "failed", code: "code" });
    expect(counted()).toEqual(["sent 1", "failed 1"]);
  });

  test("for a while is sent again after its pause, and counts as no failure", async () => {
    await send("a");
    await hear("a", "failed", failure("backoff"));
    expect(sentIds()).toEqual(["a"]);
    await pass(3_000);
    expect(sentIds()).toEqual(["a", "a"]);
    expect(counted()).toEqual(["sent 2"]);
    expect(outbox.lastFailure(cloud)).toMatchObject({ code: "code" });
  });

  test("again and again is given up", async () => {
    channel.answers = Array.from({ length: 40 }, (_, i) => ({ ok: true, platformId: `w${i}` }));
    await send("a");
    for (let i = 0; i < 40 && store.delivery("a")?.state === "sent"; i++) {
      await hear("a", "failed", failure("backoff"), `w${i}`);
      await pass(600_000);
    }
    expect(store.delivery("a")?.state).toBe("failed");
    expect(sentIds().length).toBeLessThan(30);
  });

  test("of the account holds all that it sends", async () => {
    channel.probing = failure("hold");
    await send("a");
    await hear("a", "failed", failure("hold"));
    expect(outbox.heldBy(cloud)).toEqual(failure("hold"));
    await send("b");
    expect(sentIds()).toEqual(["a"]);
    channel.probing = null;
    await pass(600_000);
    expect(sentIds()).toEqual(["a", "a", "b"]);
  });

  test("of a delivery that is gone changes nothing", () => {
    outbox.failedLater(1, "nobody", failure("no"));
    outbox.confirmedLater(1, "nobody");
    expect(counted()).toEqual([]);
  });
});

describe("a word that arrives instead of the answer", () => {
  const unanswered: SendResult = { ok: false, failure: failure("ambiguous") };

  test("settles the delivery, counts it, and lets the next go at once", async () => {
    channel.answers = [unanswered];
    await send("a", "b");
    expect(sentIds()).toEqual(["a"]);
    await hear("a", "delivered");
    expect(sentIds()).toEqual(["a", "b"]);
    expect(counted()).toEqual(["sent 2"]);
  });

  test("after all is as it was counts nothing twice", async () => {
    await send("a");
    await hear("a", "sent");
    await hear("a", "delivered");
    expect(counted()).toEqual(["sent 1"]);
  });
});
