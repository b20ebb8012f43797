import { describe, expect, spyOn, test } from "bun:test";
import type { SendFailure, SendResult } from "../../src/channels/message.ts";
import { StoreError, type ChatId } from "../../src/store/contract.ts";
import { fakeChannel } from "../support/channel.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody } from "../support/store.ts";

const { trial, pass, queue, sentIds, states } = outboxTrial();

test("a chat's deliveries go one after another, in order", async () => {
  const gate = Promise.withResolvers<SendResult>();
  trial.channel.answers = [gate.promise];
  trial.outbox.wake(await queue("+15550001111", "a", "b", "c"));
  await settle();
  expect(sentIds()).toEqual(["a"]);
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds()).toEqual(["a", "b", "c"]);
  expect(states("a", "b", "c")).toEqual(["sent", "sent", "sent"]);
});

test("a delivery is marked before the platform hears of it", async () => {
  const seen: (string | undefined)[] = [];
  trial.channel.onSend = (delivery) => seen.push(trial.store.delivery(delivery.id)?.state);
  trial.outbox.wake(await queue("+15550001111", "a"));
  await settle();
  expect(seen).toEqual(["sending"]);
});

test("a chat that waits does not hold up another", async () => {
  trial.channel.answers = [fails("backoff")];
  trial.outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  trial.outbox.wake(await queue("+15550002222", "z"));
  await settle();
  expect(sentIds()).toEqual(["a", "z"]);
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "z", "a", "b"]);
});

test("one that fails for good is kept with its hint, and the next goes on", async () => {
  trial.channel.answers = [fails("no")];
  trial.outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  expect(states("a", "b")).toEqual(["failed", "sent"]);
  expect(trial.store.delivery("a")).toMatchObject({ code: "code", hint: "hint" });
  expect(trial.outbox.lastFailure(cloud)).toEqual({
    at: trial.clock.now(),
    code: "code",
    hint: "hint",
  });
  const { values } = trial.metrics.deliveries.get();
  expect(values.map(({ labels, value }) => `${labels.outcome} ${value}`)).toEqual([
    "failed 1",
    "sent 1",
  ]);
});

test("one whose sending breaks unexpectedly is in doubt, and neither lost nor repeated at once", async () => {
  trial.channel.onSend = () => {
    trial.channel.onSend = () => {};
    throw new TypeError("unforeseen");
  };
  trial.outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  expect(trial.store.delivery("a")).toMatchObject({ state: "sending", code: "internal" });
  await pass(59_000);
  expect(sentIds()).toEqual(["a"]);
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "a", "b"]);
});

describe("a store that cannot note what the platform has accepted", () => {
  test("is tried until it can, and nothing is sent twice", async () => {
    const full = spyOn(trial.store, "markSent").mockImplementation(() => {
      throw new StoreError("full", "no space left");
    });
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    for (let tries = 1; tries < 60; tries++) {
      expect(full.mock.calls.length).toBe(tries);
      await pass(2_000);
    }
    expect(trial.alarms.get("store")?.hint).toContain("no space left");
    full.mockRestore();
    await pass(2_000);
    expect([sentIds(), states("a", "b")]).toEqual([
      ["a", "b"],
      ["sent", "sent"],
    ]);
  });

  test("holds up no stop: it stays in doubt", async () => {
    spyOn(trial.store, "markSent").mockImplementation(() => {
      throw new StoreError("full", "no space left");
    });
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const drained = trial.outbox.drain(10_000);
    await pass(2_000);
    await drained;
    expect([trial.clock.pending, states("a")]).toEqual([0, ["sending"]]);
  });
});

test.each(["hold", "unsent", "backoff"] as const)(
  "a store that cannot note why one waits (%s) holds its chat up, and ends nothing",
  async (retry) => {
    trial.channel.answers = [fails(retry)];
    spyOn(trial.store, "markRetry").mockRejectedValueOnce(new StoreError("full", "no space left"));
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    expect(trial.alarms.get("store")?.code).toBe("full");
    expect([sentIds(), trial.outbox.heldBy(cloud)]).toEqual([["a"], null]);
    await pass(2_000);
    await pass(61_000);
    expect(sentIds()).toEqual(["a", "a", "b"]);
  },
);

test("one of which a status said that it failed before its answer came counts as failed alone", async () => {
  const answer = Promise.withResolvers<SendResult>();
  trial.channel.answers = [answer.promise];
  trial.outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  const failure: SendFailure = { retry: "no", afterMs: null, code: "131026", hint: "hint" };
  const status = { platformId: "w", deliveryId: null, timestamp: 1, failure };
  await trial.store.accept(
    cloud,
    [{ kind: "status", status: { ...status, state: "failed" } }],
    everybody,
  );
  answer.resolve({ ok: true, platformId: "w" });
  await settle();
  expect(states("a", "b")).toEqual(["failed", "sent"]);
  expect(trial.outbox.lastFailure(cloud)?.code).toBe("131026");
  const { values } = trial.metrics.deliveries.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ["failed", 1],
    ["sent", 1],
  ]);
});

test("woken again and again, it sends once", async () => {
  const chat = await queue("+15550001111", "a");
  for (let i = 0; i < 5; i++) trial.outbox.wake(chat);
  await settle();
  trial.outbox.wake(chat);
  await settle();
  expect(sentIds()).toEqual(["a"]);
});

test("woken in the very moment it has run dry, it looks again", async () => {
  const chat = await queue("+15550001111", "a");
  const read = spyOn(trial.store, "openDelivery").mockReturnValueOnce(null);
  trial.outbox.wake(chat);
  trial.outbox.wake(chat);
  await settle();
  read.mockRestore();
  expect(sentIds()).toEqual(["a"]);
});

test("woken while it waits for its next try, it waits on, with one timer", async () => {
  trial.channel.answers = [fails("backoff")];
  const chat = await queue("+15550001111", "a");
  trial.outbox.wake(chat);
  await settle();
  const timers = trial.clock.pending;
  for (let i = 0; i < 5; i++) trial.outbox.wake(chat);
  await settle();
  expect(trial.clock.pending).toBe(timers);
  expect(sentIds()).toEqual(["a"]);
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "a"]);
});

test("no more than 64 requests are under way at once", async () => {
  const gate = Promise.withResolvers<SendResult>();
  trial.channel.answers = Array.from({ length: 70 }, () => gate.promise);
  for (let i = 0; i < 70; i++) trial.outbox.wake(await queue(`+1555000${1000 + i}`, `d${i}`));
  await settle();
  expect(sentIds().length).toBe(64);
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds().length).toBe(70);
});

test("a store that cannot be read holds a chat up, and ends nothing", async () => {
  const unreadable = spyOn(trial.store, "openDelivery").mockImplementation(() => {
    throw new Error("disk I/O error");
  });
  trial.outbox.wake(await queue("+15550001111", "a"));
  await settle();
  expect(trial.alarms.get("store")?.hint).toContain("disk I/O error");
  unreadable.mockRestore();
  await pass(2_000);
  expect(sentIds()).toEqual(["a"]);
});

test("under a pace, a recipient's burst goes out and the rest follows in time", async () => {
  trial.channel = fakeChannel({
    pace: { perSecond: 80, recipientIntervalMs: 6_000, recipientBurst: 2 },
  });
  trial.outbox.wake(await queue("+15550001111", "a", "b", "c", "d"));
  await settle();
  expect(sentIds()).toEqual(["a", "b"]);
  await pass(6_001);
  expect(sentIds()).toEqual(["a", "b", "c"]);
});

test("chats that wait for their account cost nothing while they wait, and go first come first served", async () => {
  trial.channel = fakeChannel({
    pace: { perSecond: 10, recipientIntervalMs: 6_000, recipientBurst: 45 },
  });
  const look = spyOn(trial.store, "openDelivery");
  const chats = 100;
  for (let i = 0; i < chats; i++) trial.outbox.wake(await queue(`+1555000${1000 + i}`, `d${i}`));
  await settle();
  const before = look.mock.calls.length;
  for (let second = 0; second < 20 && sentIds().length < chats; second++) await pass(1_000);
  expect(sentIds()).toEqual(Array.from({ length: chats }, (_, i) => `d${i}`));
  // One look before each message and one after it.
  expect(look.mock.calls.length - before).toBeLessThan(3 * chats);
});

test("a chat that comes too soon for its account goes when it may, though nothing else is under way", async () => {
  trial.channel = fakeChannel({
    pace: { perSecond: 1, recipientIntervalMs: 6_000, recipientBurst: 45 },
  });
  trial.outbox.wake(await queue("+15550001111", "a"));
  await settle();
  trial.outbox.wake(await queue("+15550002222", "b"));
  await settle();
  expect(sentIds()).toEqual(["a"]);
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "b"]);
});

test("one place that is given back lets one chat in, the one that waited longest", async () => {
  const gates = Array.from({ length: 67 }, () => Promise.withResolvers<SendResult>());
  trial.channel.answers = gates.map((gate) => gate.promise);
  for (let i = 0; i < 67; i++) trial.outbox.wake(await queue(`+1555000${1000 + i}`, `d${i}`));
  await settle();
  for (const given of [0, 1, 2]) {
    expect([sentIds().length, sentIds().at(-1)]).toEqual([64 + given, `d${63 + given}`]);
    gates[given]?.resolve({ ok: true, platformId: `w${given}` });
    await settle();
  }
  expect(sentIds().at(-1)).toBe("d66");
  for (const gate of gates) gate.resolve({ ok: true, platformId: null });
  await settle();
});

test("a place goes on to the next chat when the one whose turn it is has nothing to send", async () => {
  const gates = Array.from({ length: 64 }, () => Promise.withResolvers<SendResult>());
  trial.channel.answers = gates.map((gate) => gate.promise);
  for (let i = 0; i < 64; i++) trial.outbox.wake(await queue(`+1555000${1000 + i}`, `busy${i}`));
  await settle();
  const idle: ChatId[] = [];
  for (let i = 0; i < 3; i++) {
    const chat = await queue(`+1555000${2000 + i}`, `gone${i}`);
    trial.outbox.wake(chat);
    idle.push(chat);
  }
  trial.outbox.wake(await queue("+15550003000", "last"));
  await settle();
  for (let i = 0; i < 3; i++) {
    await trial.store.markSending(`gone${i}`);
    await trial.store.markSent(`gone${i}`, null);
  }
  gates[0]?.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds().at(-1)).toBe("last");
  for (const gate of gates) gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
});
