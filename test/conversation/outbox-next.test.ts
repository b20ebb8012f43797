import { describe, expect, spyOn, test } from "bun:test";
import type { SendResult } from "../../src/channels/message.ts";
import { StoreError } from "../../src/store/contract.ts";
import { fakeChannel } from "../support/channel.ts";
import { outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody } from "../support/store.ts";

// What follows in a chat is marked in the commit that notes what went before it, where it may go at once.

const { trial, pass, queue, sentIds, states } = outboxTrial();
const phone = "+15550001111";

/** What the platform answers to the first send, once it is let go. */
function firstAnswer() {
  const gate = Promise.withResolvers<SendResult>();
  trial.channel.answers = [gate.promise];
  return () => gate.resolve({ ok: true, platformId: "wamid.first" });
}

test("the parts of an answer need one commit each", async () => {
  const chat = await queue(phone, "a", "b", "c");
  const marks: string[] = [];
  for (const mark of ["markSending", "markSent"] as const) {
    const real = trial.store[mark].bind(trial.store) as (...given: unknown[]) => Promise<unknown>;
    spyOn(trial.store, mark).mockImplementation(async (id: string, ...rest: unknown[]) => {
      marks.push(`${mark} ${id}`);
      const done = await real(id, ...rest);
      marks.push(`${id} done`);
      return done as never;
    });
  }
  trial.outbox.wake(chat);
  await settle();
  expect(marks).toEqual([
    ...["markSending a", "a done"],
    ...["markSent a", "markSending b", "a done", "b done"],
    ...["markSent b", "markSending c", "b done", "c done"],
    ...["markSent c", "c done"],
  ]);
  expect([sentIds(), states("a", "b", "c")]).toEqual([
    ["a", "b", "c"],
    ["sent", "sent", "sent"],
  ]);
});

test("one that could not be marked with it is marked by itself, and sent once", async () => {
  const goOn = firstAnswer();
  trial.outbox.wake(await queue(phone, "a", "b"));
  await settle();
  spyOn(trial.store, "markSending").mockRejectedValueOnce(new StoreError("full", "full"));
  goOn();
  await settle();
  expect([sentIds(), states("a", "b")]).toEqual([
    ["a", "b"],
    ["sent", "sent"],
  ]);
});

test("one that a status settles meanwhile is not sent", async () => {
  const goOn = firstAnswer();
  trial.outbox.wake(await queue(phone, "a", "b", "c"));
  await settle();
  spyOn(trial.store, "markSending").mockResolvedValueOnce(false);
  await trial.store.markFailed("b", { retry: "no", afterMs: null, code: "x", hint: "" });
  goOn();
  await settle();
  expect(sentIds()).toEqual(["a", "c"]);
});

describe("it is looked at by itself", () => {
  test("where others wait for a place", async () => {
    const gates = Array.from({ length: 64 }, () => Promise.withResolvers<SendResult>());
    trial.channel.answers = gates.map((gate) => gate.promise);
    for (let i = 0; i < 64; i++) {
      trial.outbox.wake(await queue(`+1555000${1000 + i}`, `a${i}`, `b${i}`));
    }
    trial.outbox.wake(await queue(phone, "waited"));
    await settle();
    gates[0]?.resolve({ ok: true, platformId: "w" });
    await settle();
    expect(sentIds().slice(64, 65)).toEqual(["waited"]);
    for (const gate of gates) gate.resolve({ ok: true, platformId: null });
    await settle();
    expect(sentIds().length).toBe(129);
  });

  test("where its account is held", async () => {
    const goOn = firstAnswer();
    trial.outbox.wake(await queue(phone, "a", "b"));
    await settle();
    trial.channel.answers.push({
      ok: false,
      failure: { retry: "hold", afterMs: null, code: "190", hint: "token" },
    });
    trial.channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "token" };
    trial.outbox.wake(await queue("+15550002222", "refused"));
    await settle();
    goOn();
    await settle();
    expect([sentIds(), states("b")]).toEqual([["a", "refused"], ["pending"]]);
  });

  test("where its channel is not ready any more", async () => {
    const goOn = firstAnswer();
    trial.outbox.wake(await queue(phone, "a", "b"));
    await settle();
    const ready = trial.channel.status();
    trial.channel.status = () => ({ ...ready, state: "connecting" });
    goOn();
    await settle();
    expect(states("a", "b")).toEqual(["sent", "pending"]);
    trial.channel.status = () => ready;
    trial.outbox.channelChanged(cloud);
    await settle();
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test.each([
    ["its recipient's", { perSecond: 80, recipientIntervalMs: 6_000, recipientBurst: 1 }],
    ["its account's", { perSecond: 0.2, recipientIntervalMs: 1, recipientBurst: 9 }],
  ])("where %s pace says later", async (_, pace) => {
    trial.channel = fakeChannel({ pace });
    trial.outbox.wake(await queue(phone, "a", "b"));
    await settle();
    expect(states("a", "b")).toEqual(["sent", "pending"]);
    await pass(6_001);
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("where it waits for its own next try", async () => {
    const failure = { afterMs: 60_000, code: "x", hint: "" };
    trial.channel.answers = [
      { ok: false, failure: { ...failure, retry: "no" } },
      { ok: false, failure: { ...failure, retry: "backoff" } },
    ];
    const chat = await queue(phone, "a", "b");
    trial.outbox.wake(chat);
    await settle();
    await trial.store.redeliver("a");
    trial.outbox.wake(chat);
    await settle();
    expect([sentIds(), states("a", "b")]).toEqual([
      ["a", "b", "a"],
      ["sent", "pending"],
    ]);
    await pass(70_000);
    expect(sentIds()).toEqual(["a", "b", "a", "b"]);
  });

  test("where it is in doubt since a crash", async () => {
    const chat = await queue(phone, "a", "b");
    await trial.store.markFailed("a", { retry: "no", afterMs: null, code: "x", hint: "" });
    await trial.store.markSending("b");
    await trial.store.redeliver("a");
    trial.outbox.wake(chat);
    await settle();
    expect([sentIds(), states("a", "b")]).toEqual([["a"], ["sent", "sending"]]);
    await pass(61_000);
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("where the one before it had the place of one that is asked after", async () => {
    trial.channel = fakeChannel({ repeat: "ask", graceMs: 0 });
    const gates = Array.from({ length: 64 }, () => Promise.withResolvers<SendResult>());
    trial.channel.answers = gates.map((gate) => gate.promise);
    for (let i = 0; i < 64; i++) trial.outbox.wake(await queue(`+1555000${1000 + i}`, `d${i}`));
    const chat = await queue(phone, "a", "b");
    await trial.store.markSending("a");
    trial.outbox.wake(chat);
    await settle();
    expect([sentIds().length, states("a", "b")]).toEqual([65, ["sent", "pending"]]);
    for (const gate of gates) gate.resolve({ ok: true, platformId: null });
    await settle();
    expect(states("b")).toEqual(["sent"]);
  });

  test("where the daemon stops", async () => {
    const goOn = firstAnswer();
    trial.outbox.wake(await queue(phone, "a", "b"));
    await settle();
    const drained = trial.outbox.drain(10_000);
    goOn();
    await drained;
    await settle();
    expect([sentIds(), states("a", "b")]).toEqual([["a"], ["sent", "pending"]]);
  });
});

test.each([
  ["before its answer", false],
  ["in the commit that notes it", true],
])("one that a status fails %s is tried again before what follows it", async (_, together) => {
  const gate = Promise.withResolvers<SendResult>();
  trial.channel.answers = [gate.promise];
  trial.outbox.wake(await queue(phone, "a", "b"));
  await settle();
  const failure = { retry: "backoff" as const, afterMs: null, code: "130429", hint: "" };
  const status = {
    platformId: "wamid.a",
    deliveryId: "a",
    state: "failed" as const,
    timestamp: 1,
    failure,
  };
  const rules = { ...everybody, pauseAfter: () => 2_000 };
  const heard = trial.store.accept(cloud, [{ kind: "status", status }], rules).then(({ moved }) => {
    for (const { chat, delivery } of moved) trial.outbox.failedLater(chat, delivery, failure);
  });
  if (!together) await heard;
  gate.resolve({ ok: true, platformId: "wamid.a" });
  await heard;
  await settle();
  await pass(3_000);
  expect([sentIds(), states("a", "b")]).toEqual([
    ["a", "a", "b"],
    ["sent", "sent"],
  ]);
});

test("one that goes before it, since it failed later and is tried again, is not overtaken", async () => {
  const chat = await queue(phone, "a", "b", "c");
  await trial.store.markFailed("a", { retry: "no", afterMs: null, code: "x", hint: "" });
  expect(trial.store.deliveryAfter(chat, "b")?.id).toBe("c");
  await trial.store.redeliver("a");
  expect(trial.store.deliveryAfter(chat, "b")).toBeNull();
  expect(trial.store.deliveryAfter(chat, "a")?.id).toBe("b");
  expect(trial.store.deliveryAfter(chat, "c")).toBeNull();
});
