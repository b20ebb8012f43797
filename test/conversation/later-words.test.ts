import { beforeEach, describe, expect, test } from "bun:test";
import type { Deliver } from "../../src/channels/channel.ts";
import type { DeliveryState, SendFailure, SendResult } from "../../src/channels/message.ts";
import { Inbox } from "../../src/conversation/inbox.ts";
import type { ChatId } from "../../src/store/contract.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud } from "../support/store.ts";

// What a platform says of a message after, or instead of, its answer.

const { trial, pass, queue, sentIds } = outboxTrial();
let receive: Deliver;

beforeEach(() => {
  const inbox = new Inbox({
    store: trial.store,
    limits: { maxPendingMessages: 9, maxPendingBytes: 9_999, maxPendingPerChat: 9 },
    clock: trial.clock,
    log: silentLog,
    metrics: trial.metrics,
    alarms: trial.alarms,
    pauseAfter: (failure, attempts) => trial.outbox.pauseAfter(failure, attempts),
    onMessages: () => {},
    onMoved: ({ chat, delivery, failure }) => {
      if (failure) trial.outbox.failedLater(chat, delivery, failure);
      else trial.outbox.confirmedLater(chat, delivery);
    },
  });
  receive = inbox.receiver(cloud, (message) => ({ admitted: true, message }));
});

async function send(...ids: string[]): Promise<ChatId> {
  const chat = await queue("+15550001111", ...ids);
  trial.outbox.wake(chat);
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
const counted = () =>
  trial.metrics.deliveries.get().values.map(({ labels, value }) => `${labels.outcome} ${value}`);

describe("a failure that the platform reports later", () => {
  test("for good is kept as failed, counted, and shown", async () => {
    await send("a");
    await hear("a", "failed", failure("no"));
    expect(trial.outbox.lastFailure(cloud)).toMatchObject({ at: trial.clock.now(), code: "code" });
    await pass(600_000);
    expect(sentIds()).toEqual(["a"]);
    expect(trial.store.delivery("a")).toMatchObject({ state: "failed", code: "code" });
    expect(counted()).toEqual(["sent 1", "failed 1"]);
  });

  test("for a while is sent again after its pause, and counts as no failure", async () => {
    await send("a");
    await hear("a", "failed", failure("backoff"));
    expect(sentIds()).toEqual(["a"]);
    await pass(3_000);
    expect(sentIds()).toEqual(["a", "a"]);
    expect(counted()).toEqual(["sent 2"]);
    expect(trial.outbox.lastFailure(cloud)).toMatchObject({ code: "code" });
  });

  test("again and again is given up", async () => {
    trial.channel.answers = Array.from({ length: 40 }, (_, i) => ({
      ok: true,
      platformId: `w${i}`,
    }));
    await send("a");
    for (let i = 0; i < 40 && trial.store.delivery("a")?.state === "sent"; i++) {
      await hear("a", "failed", failure("backoff"), `w${i}`);
      await pass(600_000);
    }
    expect(trial.store.delivery("a")?.state).toBe("failed");
    expect(sentIds().length).toBeLessThan(30);
  });

  test("of the account holds all that it sends", async () => {
    trial.channel.probing = failure("hold");
    await send("a");
    await hear("a", "failed", failure("hold"));
    expect(trial.outbox.heldBy(cloud)).toEqual(failure("hold"));
    await send("b");
    expect(sentIds()).toEqual(["a"]);
    trial.channel.probing = null;
    await pass(600_000);
    expect(sentIds()).toEqual(["a", "a", "b"]);
  });

  test("of the account waits for that alone, however often the delivery was tried", () => {
    expect(trial.outbox.pauseAfter(failure("hold"), 99)).toBe(0);
    expect(trial.outbox.pauseAfter(failure("backoff"), 99)).toBeNull();
  });

  test("of a delivery that is gone changes nothing", () => {
    trial.outbox.failedLater(1, "nobody", failure("no"));
    trial.outbox.confirmedLater(1, "nobody");
    expect(counted()).toEqual([]);
  });
});

describe("a word that arrives instead of the answer", () => {
  const unanswered: SendResult = { ok: false, failure: failure("ambiguous") };

  test("settles the delivery, counts it, and lets the next go at once", async () => {
    trial.channel.answers = [unanswered];
    await send("a", "b");
    expect(sentIds()).toEqual(["a"]);
    await hear("a", "delivered");
    expect(sentIds()).toEqual(["a", "b"]);
    expect(counted()).toEqual(["sent 2"]);
  });

  test("cuts off the request that nobody answers: the next goes at once, and nothing went wrong", async () => {
    const { send: sends } = trial.channel;
    trial.channel.send = async (delivery, signal) => {
      const sent = await sends(delivery, signal);
      if (delivery.id !== "a") return sent;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return unanswered;
    };
    await send("a", "b");
    expect(sentIds()).toEqual(["a"]);
    await hear("a", "delivered");
    await pass(600_000);
    expect(sentIds()).toEqual(["a", "b"]);
    expect(counted()).toEqual(["sent 2"]);
    expect(trial.outbox.lastFailure(cloud)).toBeNull();
  });

  test("cuts off an upload, too, and calls that no failure", async () => {
    trial.channel.answers = [unanswered];
    await send("a", "b");
    const before = trial.outbox.lastFailure(cloud);
    const { send: sends } = trial.channel;
    trial.channel.send = async (delivery, signal) => {
      if (delivery.id !== "a") return sends(delivery, signal);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { ok: false, failure: failure("unsent") };
    };
    await pass(61_000);
    await hear("a", "delivered");
    expect(sentIds()).toEqual(["a", "b"]);
    expect(trial.outbox.lastFailure(cloud)).toEqual(before);
  });

  test("after all is as it was counts nothing twice", async () => {
    await send("a");
    await hear("a", "sent");
    await hear("a", "delivered");
    expect(counted()).toEqual(["sent 1"]);
  });
});
