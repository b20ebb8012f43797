import { describe, expect, mock, test } from "bun:test";
import type { SendResult } from "../../src/channels/message.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { outboxOver } from "../support/outbox.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody } from "../support/store.ts";

const { trial, open, pass, queue, sentIds, states } = outboxTrial();

describe("an answer that was lost", () => {
  test("waits for its status before it is sent again", async () => {
    trial.channel.answers = [fails("backoff"), fails("ambiguous")];
    trial.outbox.wake(await queue("+15550002222", "later"));
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    expect(trial.outbox.unconfirmed).toBe(1);
    await pass(59_000);
    expect(sentIds()).toEqual(["later", "a", "later"]);
    await pass(2_000);
    expect(sentIds().slice(3)).toEqual(["a", "b"]);
    expect(trial.outbox.unconfirmed).toBe(0);
  });

  test("is settled by its status, and never sent again", async () => {
    trial.channel.answers = [fails("ambiguous")];
    const chat = await queue("+15550001111", "a", "b");
    trial.outbox.wake(chat);
    await settle();
    await trial.store.accept(
      cloud,
      [
        {
          kind: "status",
          status: {
            platformId: "wamid.a",
            deliveryId: "a",
            state: "sent",
            timestamp: 1,
            failure: null,
          },
        },
      ],
      {
        admit: (message) => ({ admitted: true, message }),
        maxPendingMessages: 1,
        maxPendingBytes: 1,
        maxPendingPerChat: 1,
      },
    );
    trial.outbox.wake(chat);
    await settle();
    await pass(600_000);
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("is not sent again where its status came in with the mark of the next try", async () => {
    trial.channel.answers = [fails("ambiguous")];
    const chat = await queue("+15550001111", "a", "b");
    trial.outbox.wake(chat);
    await settle();
    const status = {
      platformId: "wamid.a",
      deliveryId: "a",
      state: "delivered" as const,
      timestamp: 1,
      failure: null,
    };
    const taken = trial.store.accept(cloud, [{ kind: "status", status }], everybody);
    await pass(61_000);
    await taken;
    expect(sentIds()).toEqual(["a", "b"]);
    expect(trial.store.delivery("a")).toMatchObject({ state: "sent", platformId: "wamid.a" });
  });

  test("after a kill it waits the whole grace from the new start", async () => {
    const chat = await queue("+15550001111", "a");
    await trial.store.markSending("a");
    await trial.clock.advance(300_000);
    open();
    trial.outbox.start();
    await settle();
    expect(sentIds()).toEqual([]);
    await pass(61_000);
    expect(sentIds()).toEqual(["a"]);
    expect(trial.store.openDelivery(chat)).toBeNull();
  });

  test("is sent again at once where receivers drop the repeat", async () => {
    trial.channel = fakeChannel({ repeat: "same-id" });
    await queue("+15550001111", "a");
    await trial.store.markSending("a");
    trial.outbox.start();
    await settle();
    expect(sentIds()).toEqual(["a"]);
  });
});

test("a repeat that could not leave is still one: the next run waits for the status of the first", async () => {
  trial.channel.answers = [fails("ambiguous"), fails("unsent")];
  const chat = await queue("+15550001111", "a");
  trial.outbox.wake(chat);
  await settle();
  await pass(61_000);
  await trial.outbox.drain(0);
  open();
  trial.outbox.start();
  await pass(59_000);
  expect([sentIds(), ...states("a")]).toEqual([["a", "a"], "sending"]);
  await pass(2_000);
  expect([sentIds(), ...states("a")]).toEqual([["a", "a", "a"], "sent"]);
  expect(trial.store.delivery("a")).toMatchObject({ attempts: 2, unanswered: 1 });
});

describe("tries without an answer", () => {
  const ambiguous = fails("ambiguous");

  test("are three, further and further apart; then it has failed, and may be sent anew", async () => {
    trial.channel.answers = Array.from({ length: 6 }, () => ambiguous);
    const chat = await queue("+15550001111", "a");
    trial.outbox.wake(chat);
    await settle();
    await pass(60_000);
    expect(sentIds()).toEqual(["a", "a"]);
    await pass(239_000);
    expect(sentIds()).toEqual(["a", "a"]);
    await pass(1_000);
    expect([sentIds().length, ...states("a")]).toEqual([3, "failed"]);
    expect(await trial.store.redeliver("a")).toBe(true);
    trial.outbox.wake(chat);
    await settle();
    await pass(60_000);
    expect([sentIds().length, ...states("a")]).toEqual([5, "sending"]);
  });

  test("are not those that a kill cut off", async () => {
    await queue("+15550001111", "a");
    for (let kill = 0; kill < 5; kill++) await trial.store.markSending("a");
    trial.channel.answers = [ambiguous, ambiguous];
    trial.outbox.start();
    for (const seconds of [0, 60, 60, 240]) await pass(seconds * 1_000);
    expect([sentIds().length, ...states("a")]).toEqual([3, "sent"]);
  });

  test("are not those that were answered: later, please", async () => {
    trial.channel.answers = [fails("backoff"), fails("backoff"), fails("backoff"), ambiguous];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (const seconds of [2, 4, 8, 60]) await pass(seconds * 1_000);
    expect([sentIds().length, ...states("a")]).toEqual([5, "sent"]);
  });

  test("are not those that a stop cut off", async () => {
    trial.channel.send = (_, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(ambiguous)));
    const chat = await queue("+15550001111", "a");
    for (let run = 0; run < 4; run++) {
      trial.outbox.wake(chat);
      await settle();
      await pass(60_000);
      const drained = trial.outbox.drain(1_000);
      await pass(1_000);
      await drained;
      open();
    }
    expect(states("a")).toEqual(["sending"]);
    expect(trial.store.delivery("a")).toMatchObject({ attempts: 4, unanswered: 0 });
  });
});

test.each([
  ["ask", "sending again without knowing whether the first try arrived: it may arrive twice"],
  ["status", "sending again: the first try was not confirmed"],
  ["same-id", "sending again: the first try was not confirmed"],
] as const)("a repeat says that it is one, and what that may mean (%s)", async (repeat, words) => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (_: unknown, message: string) => void said.push(message) };
  const { store, clock, alarms, metrics } = trial;
  trial.channel = fakeChannel({ repeat, graceMs: 1_000 });
  trial.outbox = outboxOver(store, () => trial.channel, clock, alarms, metrics, log);
  trial.channel.answers = [fails("ambiguous")];
  trial.outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  expect(said).toEqual(["delivery delayed: hint"]);
  await pass(2_000);
  expect([sentIds(), said.slice(1)]).toEqual([["a", "a", "b"], [words]]);
});

describe("a stop", () => {
  test("lets the request in flight end and starts no other", async () => {
    const gate = Promise.withResolvers<SendResult>();
    trial.channel.answers = [gate.promise];
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    const stopped = mock(() => {});
    const drained = trial.outbox.drain(2_000).then(stopped);
    await pass(1_900);
    expect(stopped).not.toHaveBeenCalled();
    gate.resolve({ ok: true, platformId: "wamid" });
    await drained;
    await settle();
    expect(sentIds()).toEqual(["a"]);
    expect(states("a", "b")).toEqual(["sent", "pending"]);
    expect(trial.clock.pending).toBe(0);
  });

  test("lets each of several requests in flight end", async () => {
    const gates = [1, 2].map(() => Promise.withResolvers<SendResult>());
    trial.channel.answers = gates.map((gate) => gate.promise);
    const { send } = trial.channel;
    const signals: AbortSignal[] = [];
    trial.channel.send = (delivery, signal) => {
      signals.push(signal);
      return send.call(trial.channel, delivery, signal);
    };
    trial.outbox.wake(await queue("+15550001111", "a"));
    trial.outbox.wake(await queue("+15550002222", "b"));
    await settle();
    const drained = trial.outbox.drain(10_000);
    for (const gate of gates) {
      expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
      gate.resolve({ ok: true, platformId: null });
      await settle();
    }
    await drained;
    expect(states("a", "b")).toEqual(["sent", "sent"]);
  });

  test("cuts off one that outlasts the grace, which stays in doubt", async () => {
    let cut = false;
    trial.channel.send = (_, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          cut = true;
          reject(signal.reason);
        }),
      );
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const drained = trial.outbox.drain(2_000);
    await pass(1_900);
    expect(cut).toBe(false);
    await pass(200);
    await drained;
    expect(cut).toBe(true);
    expect(states("a")).toEqual(["sending"]);
  });

  test.each([
    ["no", "failed"],
    ["backoff", "pending"],
    ["hold", "pending"],
    ["unsent", "pending"],
  ] as const)("notes what is answered in that moment: %s", async (retry, state) => {
    trial.channel.send = (_, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(fails(retry))));
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const drained = trial.outbox.drain(2_000);
    await pass(2_000);
    await drained;
    await settle();
    expect(states("a")).toEqual([state]);
  });

  test("ends what waits for its next try, and takes up nothing more", async () => {
    trial.channel.answers = [fails("backoff")];
    const chat = await queue("+15550001111", "a");
    trial.outbox.wake(chat);
    await settle();
    await trial.outbox.drain(2_000);
    expect(trial.clock.pending).toBe(0);
    trial.outbox.wake(chat);
    await pass(600_000);
    expect(sentIds()).toEqual(["a"]);
  });
});
