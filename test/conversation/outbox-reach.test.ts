import { describe, expect, spyOn, test } from "bun:test";
import type { SendResult } from "../../src/channels/message.ts";
import { fakeChannel } from "../support/channel.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { outboxOver } from "../support/outbox.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody } from "../support/store.ts";

const { trial, open, pass, queue, sentIds, states } = outboxTrial();

describe("a platform that is not reached", () => {
  const lost = {
    ok: false as const,
    failure: {
      retry: "backoff" as const,
      afterMs: null,
      code: "ENOTFOUND",
      hint: "DNS",
      unreached: true as const,
    },
  };

  test("is said from the second try on, until it answers", async () => {
    trial.channel.answers = [lost, lost, lost];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    expect(trial.outbox.unreached(cloud)).toBeNull();
    await pass(3_000);
    expect(trial.outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
    expect(trial.outbox.unreached({ ...cloud, account: "another" })).toBeNull();
    await pass(6_000);
    await pass(20_000);
    expect(states("a")).toEqual(["sent"]);
    expect(trial.outbox.unreached(cloud)).toBeNull();
  });

  test("hours ago says nothing of the first try that fails now", async () => {
    const unanswered: SendResult = { ok: false, failure: { ...lost.failure, retry: "ambiguous" } };
    trial.channel.answers = [unanswered, unanswered, unanswered, lost, lost];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (const seconds of [61, 241]) await pass(seconds * 1_000);
    expect(states("a")).toEqual(["failed"]);
    expect(trial.outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
    await pass(3 * 3_600_000);
    trial.outbox.wake(await queue("+15550001111", "b"));
    await settle();
    expect(trial.outbox.unreached(cloud)).toBeNull();
    await pass(3_000);
    expect(trial.outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
  });

  test("is no more said once it refuses a message for its own sake", async () => {
    trial.channel.answers = [lost, lost, fails("no")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(3_000);
    expect(trial.outbox.unreached(cloud)).not.toBeNull();
    await pass(20_000);
    expect(trial.outbox.unreached(cloud)).toBeNull();
  });

  test("is forgotten where nobody tries any more", async () => {
    trial.channel.answers = Array.from({ length: 25 }, () => lost);
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (let minute = 0; minute < 150 && states("a")[0] !== "failed"; minute++) {
      await pass(60_000);
      if (minute > 0 && states("a")[0] !== "failed") {
        expect(trial.outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
      }
    }
    expect(states("a")).toEqual(["failed"]);
    await pass(8 * 60_000);
    expect(trial.outbox.unreached(cloud)).toBeNull();
  });
});

describe("what could not leave", () => {
  const unsent: SendResult = {
    ok: false,
    failure: { retry: "unsent", afterMs: null, code: "ENOTFOUND", hint: "DNS", unreached: true },
  };

  test("waits as long as nothing can, less and less often asked for, and has used up no try", async () => {
    trial.channel.answers = Array.from({ length: 999 }, () => unsent);
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    const tries: number[] = [];
    for (let hour = 0; hour < 6; hour++) {
      const before = sentIds().length;
      for (let minute = 0; minute < 60; minute++) await pass(60_000);
      tries.push(sentIds().length - before);
    }
    expect(tries[0]).toBeLessThan(25);
    expect(tries.slice(1)).toEqual([12, 12, 12, 12, 12]);
    expect(states("a", "b")).toEqual(["pending", "pending"]);
    expect(trial.store.delivery("a")).toMatchObject({ attempts: 0, unanswered: 0 });
    expect(trial.outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
    trial.channel.answers = [];
    await pass(300_000);
    expect(states("a", "b")).toEqual(["sent", "sent"]);
  });

  test("goes at once when something else of its account could, or was refused", async () => {
    trial.channel.answers = [unsent, unsent, unsent, fails("no")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    trial.outbox.wake(await queue("+15550002222", "b"));
    await settle();
    await pass(1_500);
    trial.outbox.wake(await queue("+15550001111", "c"));
    await settle();
    expect(sentIds()).toEqual(["a", "b", "a"]);
    trial.outbox.wake(await queue("+15550003333", "z"));
    await settle();
    expect(states("z", "a", "b", "c")).toEqual(["failed", "sent", "sent", "sent"]);
  });

  test("is not tried on and on where now and then one of many leaves", async () => {
    let tries = 0;
    trial.channel.send = async () =>
      ++tries % 20 === 0 ? { ok: true, platformId: `w${tries}` } : unsent;
    for (let chat = 100; chat < 300; chat++) {
      trial.outbox.wake(await queue(`+15550001${chat}`, `m${chat}`));
    }
    await pass(0);
    await pass(0);
    expect(tries).toBeLessThan(300);
    trial.channel.send = async ({ id }) => ({ ok: true, platformId: id });
    await pass(60_000);
    expect(trial.store.counts().openDeliveries).toBe(0);
  });

  test("is tried at once by the next run", async () => {
    trial.channel.answers = [unsent, unsent, unsent, unsent];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(5_000);
    await trial.outbox.drain(0);
    expect(trial.clock.pending).toBe(0);
    trial.channel.answers = [];
    open();
    trial.outbox.start();
    await settle();
    expect(states("a")).toEqual(["sent"]);
  });

  test("while the daemon stops, it waits for the next run", async () => {
    const answer = Promise.withResolvers<SendResult>();
    trial.channel.answers = [answer.promise];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const drained = trial.outbox.drain(2_000);
    answer.resolve(unsent);
    await drained;
    await settle();
    expect(states("a")).toEqual(["pending"]);
    expect(trial.clock.pending).toBe(0);
  });
});

describe("a channel that is not ready", () => {
  test("gets nothing and raises no alarm; what waited goes out at once when it is", async () => {
    let ready = false;
    trial.channel = fakeChannel({
      status: () => ({
        state: ready ? "ready" : "connecting",
        reason: ready ? null : "no connection",
        linkedAs: null,
      }),
    });
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await pass(3_600_000);
    expect(sentIds()).toEqual([]);
    expect(trial.alarms.list()).toEqual([]);
    trial.outbox.channelChanged(cloud);
    await settle();
    expect(sentIds()).toEqual([]);
    ready = true;
    trial.outbox.channelChanged(cloud);
    await settle();
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("wakes what waited for it once, not at each change of state from then on", async () => {
    let ready = false;
    trial.channel = fakeChannel({
      status: () => ({ state: ready ? "ready" : "connecting", reason: null, linkedAs: null }),
    });
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    ready = true;
    trial.outbox.channelChanged(cloud);
    await settle();
    const looked = spyOn(trial.store, "openDelivery");
    trial.outbox.channelChanged(cloud);
    await settle();
    expect([sentIds(), looked.mock.calls.length]).toEqual([["a"], 0]);
  });

  test("is not asked at each change of state whether its hold is over", async () => {
    let ready = true;
    let probes = 0;
    trial.channel = fakeChannel({
      status: () => ({ state: ready ? "ready" : "connecting", reason: null, linkedAs: null }),
      probe: async () => {
        probes++;
        return null;
      },
    });
    trial.channel.answers = [fails("hold")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    ready = false;
    trial.outbox.channelChanged(cloud);
    await settle();
    expect([probes, trial.outbox.heldBy(cloud)?.code]).toEqual([0, "code"]);
  });

  test("and then is, ends a hold without waiting for the next probe", async () => {
    trial.channel.answers = [fails("hold")];
    trial.channel.probing = {
      retry: "hold",
      afterMs: null,
      code: "offline",
      hint: "no connection",
    };
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(60_000);
    trial.channel.probing = null;
    trial.outbox.channelChanged(cloud);
    await settle();
    expect(trial.outbox.heldBy(cloud)).toBeNull();
    expect(sentIds()).toEqual(["a", "a"]);
  });
});

test("what waits for an account that is not run waits in peace, until a run that has it", async () => {
  const { store, clock, alarms } = trial;
  const without = outboxOver(store, () => undefined, clock, alarms);
  without.wake(await queue("+15550001111", "a"));
  await settle();
  expect([clock.pending, alarms.list(), states("a")]).toEqual([0, [], ["pending"]]);
  trial.outbox.start();
  await settle();
  expect(states("a")).toEqual(["sent"]);
});

test.each<[string, SendResult, boolean?]>([
  ["after its answer was lost", fails("ambiguous")],
  ["before its answer came", { ok: true, platformId: "wamid.a" }],
  ["before its next try was refused", fails("no")],
  ["in the moment its next try was refused", fails("no"), true],
])("a delivery that a status settles %s is counted once", async (_, answered, first = false) => {
  const answer = Promise.withResolvers<SendResult>();
  trial.channel.answers = [answer.promise];
  const chat = await queue("+15550001111", "a");
  trial.outbox.wake(chat);
  await settle();
  const { moved } = await trial.store.accept(
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
    everybody,
  );
  if (first) {
    answer.resolve(answered);
    await settle();
  }
  for (const { chat: of, delivery } of moved) trial.outbox.confirmedLater(of, delivery);
  answer.resolve(answered);
  await settle();
  await pass(600_000);
  expect(sentIds()).toEqual(["a"]);
  const { values } = trial.metrics.deliveries.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([["sent", 1]]);
  expect(trial.alarms.list()).toEqual([]);
});
