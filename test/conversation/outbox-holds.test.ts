import { describe, expect, test } from "bun:test";
import type { SendFailure, SendResult } from "../../src/channels/message.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud } from "../support/store.ts";

const { trial, pass, queue, sentIds, states } = outboxTrial();

describe("an account that may not send", () => {
  test("holds its deliveries, raises an alarm, and goes on when a probe succeeds", async () => {
    trial.channel.answers = [fails("hold")];
    trial.channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "token" };
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    trial.outbox.wake(await queue("+15550002222", "z"));
    await settle();
    expect(sentIds()).toEqual(["a"]);
    expect(states("a", "b", "z")).toEqual(["pending", "pending", "pending"]);
    expect(trial.outbox.heldBy(cloud)?.code).toBe("code");
    expect(trial.alarms.list().map((alarm) => alarm.source)).toEqual(["whatsapp.cloud"]);
    await pass(60_000);
    expect(sentIds()).toEqual(["a"]);
    trial.channel.probing = null;
    await pass(300_000);
    await settle();
    expect(trial.outbox.heldBy(cloud)).toBeNull();
    expect(trial.alarms.list()).toEqual([]);
    expect(sentIds().toSorted()).toEqual(["a", "a", "b", "z"]);
    expect(trial.clock.pending).toBe(0);
  });

  test("and has sent again since is asked soon the next time it may not", async () => {
    let probes = 0;
    trial.channel.probe = async () => {
      probes++;
      return probes < 6 ? { retry: "hold", afterMs: null, code: "190", hint: "token" } : null;
    };
    trial.channel.answers = [fails("hold")];
    const chat = await queue("+15550001111", "a");
    trial.outbox.wake(chat);
    for (let step = 0; step < 30; step++) await pass(10_000);
    expect(states("a")).toEqual(["sent"]);
    trial.channel.answers = [fails("hold")];
    await queue("+15550001111", "b");
    trial.outbox.wake(chat);
    await settle();
    await pass(2_000);
    expect(states("b")).toEqual(["sent"]);
  });
});

describe("an account whose probe is not understood", () => {
  const undecided: SendFailure = { retry: "no", afterMs: null, code: "100", hint: "no such thing" };

  test("sends one delivery instead, and all once that goes", async () => {
    trial.channel.answers = [fails("hold"), fails("hold")];
    trial.channel.probing = undecided;
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    trial.outbox.wake(await queue("+15550002222", "z"));
    await pass(3_000);
    expect(sentIds()).toEqual(["a", "a"]);
    expect(trial.outbox.heldBy(cloud)?.code).toBe("code");
    await pass(10_000);
    expect(trial.outbox.heldBy(cloud)).toBeNull();
    expect(sentIds().toSorted()).toEqual(["a", "a", "a", "b", "z"]);
  });

  test("sends one at each probe, not one after another, where that says nothing", async () => {
    trial.channel.answers = [fails("hold"), fails("backoff", 3_600_000)];
    trial.channel.probing = undecided;
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    trial.outbox.wake(await queue("+15550002222", "z"));
    await pass(3_000);
    expect(sentIds()).toEqual(["a", "a"]);
    await pass(4_000);
    expect(sentIds()).toEqual(["a", "a", "z"]);
  });

  test("goes on, too, once a delivery is refused for its own sake", async () => {
    const closed: SendFailure = { retry: "no", afterMs: null, code: "131047", hint: "window" };
    trial.channel.answers = [fails("hold"), { ok: false, failure: closed }];
    trial.channel.probing = undecided;
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    await pass(3_000);
    expect(states("a", "b")).toEqual(["failed", "sent"]);
  });

  test("stands still for why it was refused, not for what the probe says", async () => {
    trial.channel.answers = [fails("hold")];
    trial.channel.probing = undecided;
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const answer = Promise.withResolvers<SendResult>();
    trial.channel.answers = [answer.promise];
    await pass(3_000);
    expect([sentIds().length, trial.outbox.heldBy(cloud)?.code]).toEqual([2, "code"]);
    expect(trial.alarms.list().map(({ code }) => code)).toEqual(["code"]);
    const failure: SendFailure = { retry: "hold", afterMs: null, code: "368", hint: "banned" };
    answer.resolve({ ok: false, failure });
    await settle();
    expect(trial.outbox.heldBy(cloud)).toEqual(failure);
  });

  test("is not let go for a delivery that was never shown to the platform", async () => {
    const missing: SendFailure = {
      retry: "no",
      afterMs: null,
      code: "media_missing",
      hint: "gone",
    };
    trial.channel.answers = [fails("hold"), { ok: false, failure: missing }];
    trial.channel.probing = undecided;
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    await pass(3_000);
    expect([states("a", "b"), trial.outbox.heldBy(cloud)?.code]).toEqual([
      ["failed", "pending"],
      "code",
    ]);
    await pass(10_000);
    expect(states("b")).toEqual(["sent"]);
  });

  test("once it sends again, a probe that was under way changes nothing", async () => {
    const late = Promise.withResolvers<SendFailure | null>();
    const sending = Promise.withResolvers<SendResult>();
    const probes = [Promise.resolve(undecided), late.promise];
    trial.channel.probe = async () => probes.shift() ?? null;
    trial.channel.answers = [fails("hold"), sending.promise];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(2_000);
    await pass(4_000);
    expect([sentIds().length, probes.length]).toEqual([2, 0]);
    sending.resolve({ ok: true, platformId: "w" });
    await settle();
    expect(trial.outbox.heldBy(cloud)).toBeNull();
    late.resolve({ retry: "hold", afterMs: null, code: "190", hint: "token" });
    await settle();
    expect([trial.alarms.list(), trial.clock.pending]).toEqual([[], 0]);
  });

  test("a refusal that lasts is put to the test now and then", async () => {
    trial.channel.answers = [fails("hold")];
    trial.channel.probing = { ...undecided, retry: "hold" };
    trial.outbox.wake(await queue("+15550001111", "a"));
    for (let step = 0; step < 30; step++) await pass(10_000);
    expect(sentIds()).toEqual(["a"]);
    for (let step = 0; step < 60; step++) await pass(10_000);
    expect(states("a")).toEqual(["sent"]);
  });
});

test("a delivery whose account was refused has used up no try", async () => {
  trial.channel.answers = Array.from({ length: 40 }, () => fails("hold"));
  trial.outbox.wake(await queue("+15550001111", "a"));
  for (let step = 0; step < 200 && trial.channel.answers.length > 0; step++) await pass(360_000);
  trial.channel.answers = [fails("backoff")];
  for (let step = 0; step < 3; step++) await pass(360_000);
  expect(states("a")).toEqual(["sent"]);
});

test("a probe without an answer is given up, and the next one asks again", async () => {
  trial.channel.answers = [fails("hold")];
  const probes: AbortSignal[] = [];
  trial.channel.probe = (signal) => {
    probes.push(signal);
    if (probes.length > 1) return Promise.resolve(null);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
  };
  trial.outbox.wake(await queue("+15550001111", "a"));
  await settle();
  for (let step = 0; step < 10; step++) await pass(5_000);
  expect(probes.length).toBe(2);
  expect(states("a")).toEqual(["sent"]);
});

describe("an account that is held", () => {
  let probes = 0;
  const held = async () => {
    probes = 0;
    trial.channel.probe = async () => {
      probes++;
      return { retry: "hold", afterMs: null, code: "190", hint: "token" };
    };
    trial.channel.answers = [fails("hold")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    for (let step = 0; step < 12; step++) await pass(10_000);
  };

  test("is asked soon again once its channel has changed, and by one timer", async () => {
    await held();
    const before = probes;
    trial.outbox.channelChanged(cloud);
    await settle();
    expect([probes - before, trial.clock.pending]).toEqual([1, 1]);
    await pass(2_000);
    expect([probes - before, trial.clock.pending]).toEqual([2, 1]);
  });

  test("is asked no more once the daemon stops", async () => {
    await held();
    const before = probes;
    await trial.outbox.drain(0);
    await pass(600_000);
    expect(probes).toBe(before);
  });
});

describe("an account that may be asked but not send", () => {
  test("is tried less and less often, though every probe succeeds", async () => {
    const failure: SendFailure = { retry: "hold", afterMs: null, code: "131031", hint: "locked" };
    trial.channel.answers = Array.from({ length: 1000 }, () => ({ ok: false, failure }));
    trial.outbox.wake(await queue("+15550001111", "a"));
    for (let step = 0; step < 90; step++) await pass(10_000);
    expect(sentIds().length).toBeLessThan(12);
    trial.channel.answers = [];
    await pass(600_000);
    expect(states("a")).toEqual(["sent"]);
  });

  test("has one alarm that stays, once sending was refused after a probe", async () => {
    trial.channel.answers = Array.from({ length: 1000 }, () => fails("hold"));
    const chat = await queue("+15550001111", "a", "b");
    trial.outbox.wake(chat);
    await settle();
    await pass(10_000);
    const since = trial.alarms.get("whatsapp.cloud")?.since;
    expect(since).toBeNumber();
    for (let step = 0; step < 30; step++) await pass(10_000);
    expect(trial.alarms.get("whatsapp.cloud")?.since).toBe(since);
    trial.channel.answers = [];
    await pass(600_000);
    expect(states("a", "b")).toEqual(["sent", "sent"]);
    expect([trial.alarms.list(), trial.outbox.heldBy(cloud)]).toEqual([[], null]);
  });

  test("sends again at the first probe once it may, whoever else cannot be reached", async () => {
    trial.channel.answers = Array.from({ length: 6 }, () => fails("hold"));
    trial.outbox.wake(await queue("+15550001111", "a"));
    for (let step = 0; step < 60 && trial.channel.answers.length > 0; step++) await pass(10_000);
    const later = ["b", "c", "d", "e", "f"];
    for (const id of later) trial.outbox.wake(await queue(`+1555000222${later.indexOf(id)}`, id));
    trial.outbox.wake(await queue("+15550003333", "z"));
    await settle();
    const { send } = trial.channel;
    trial.channel.send = async (delivery, signal) => {
      const sent = await send.call(trial.channel, delivery, signal);
      return delivery.id === "z" ? sent : fails("backoff");
    };
    await pass(200_000);
    expect(states("z")).toEqual(["sent"]);
    expect(trial.outbox.heldBy(cloud)).toBeNull();
  });

  test("is let go by a probe where nothing is left that could tell", async () => {
    trial.channel.answers = [fails("hold"), fails("hold")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(2_000);
    expect([sentIds(), trial.outbox.heldBy(cloud)?.code]).toEqual([["a", "a"], "code"]);
    await trial.store.markFailed("a", { retry: "no", afterMs: null, code: "x", hint: "" });
    await pass(4_000);
    await pass(8_000);
    expect([trial.outbox.heldBy(cloud), trial.alarms.list()]).toEqual([null, []]);
  });

  test("is told by the next that waits, where the one that is to tell is not due", async () => {
    trial.channel.answers = [
      fails("backoff", 3_600_000),
      ...Array.from({ length: 3 }, () => fails("hold")),
    ];
    const waits = await queue("+15550002222", "b");
    trial.outbox.wake(waits);
    await settle();
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(2_000);
    trial.outbox.wake(waits);
    await pass(4_000);
    expect(sentIds()).toEqual(["b", "a", "a", "a"]);
    await pass(8_000);
    expect(states("a", "b")).toEqual(["sent", "pending"]);
  });

  test("says why it stands still now, not why it stood still first", async () => {
    trial.channel.answers = [fails("hold")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    trial.channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "token" };
    await pass(3_000);
    expect(trial.alarms.list().map(({ code, hint }) => [code, hint])).toEqual([["190", "token"]]);
    expect(trial.outbox.heldBy(cloud)?.hint).toBe("token");
    trial.channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "another token" };
    await pass(300_000);
    expect(trial.alarms.list().map(({ hint }) => hint)).toEqual(["another token"]);
  });
});
