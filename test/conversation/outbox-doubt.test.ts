import { describe, expect, mock, spyOn, test } from "bun:test";
import type { SentLookup } from "../../src/channels/channel.ts";
import type { SendFailure, SendResult } from "../../src/channels/message.ts";
import { fakeChannel } from "../support/channel.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody } from "../support/store.ts";

const { trial, open, pass, queue, sentIds, states } = outboxTrial();

describe("an answer that was lost", () => {
  test("waits for its status before it is sent again", async () => {
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    await pass(59_000);
    expect(sentIds()).toEqual(["a"]);
    await pass(2_000);
    expect(sentIds()).toEqual(["a", "a", "b"]);
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

describe("a platform that can be asked", () => {
  const lookUp = (...answers: SentLookup[]) => {
    const asked: [id: string, since: number][] = [];
    trial.channel = fakeChannel({
      repeat: "ask",
      graceMs: 2_000,
      findSent: async ({ id }, since) => {
        asked.push([id, since]);
        return answers.shift() ?? { ok: true, found: [] };
      },
    });
    return asked;
  };
  const refuses = (retry: SendFailure["retry"], afterMs: number | null = null): SentLookup => ({
    ok: false,
    failure: { retry, afterMs, code: "code", hint: "hint", unreached: true },
  });

  test("is asked after its grace; what has arrived is not sent again", async () => {
    const began = trial.clock.now();
    const asked = lookUp({ ok: true, found: [["w1"]] });
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    await pass(1_500);
    expect([asked, sentIds()]).toEqual([[], ["a"]]);
    await pass(1_000);
    expect([asked, sentIds()]).toEqual([[["a", began]], ["a", "b"]]);
    expect(trial.store.delivery("a")).toMatchObject({ state: "sent", platformId: "w1" });
  });

  test("is asked after a kill too, after its grace", async () => {
    const asked = lookUp({ ok: true, found: [["w1"]] });
    await queue("+15550001111", "a");
    await trial.store.markSending("a");
    await trial.clock.advance(60_000);
    open();
    trial.outbox.start();
    await pass(1_900);
    expect(asked).toEqual([]);
    await pass(200);
    expect([sentIds(), states("a")]).toEqual([[], ["sent"]]);
  });

  test("what has not arrived is sent at once, however often", async () => {
    lookUp();
    trial.channel.answers = Array.from({ length: 5 }, () => fails("ambiguous"));
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (const seconds of [2, 4, 8, 16, 32]) await pass(seconds * 1_000);
    expect([sentIds().length, ...states("a")]).toEqual([6, "sent"]);
    expect(trial.store.delivery("a")).toMatchObject({ attempts: 6, unanswered: 0 });
  });

  test("what reads the same and is of another delivery, or of a try that failed, is not it", async () => {
    lookUp({ ok: true, found: [["wamid.out.a"], ["x", "wamid.out.b"]] });
    const chat = await queue("+15550001111", "a", "b", "c");
    trial.outbox.wake(chat);
    await settle();
    const failed = { state: "failed" as const, timestamp: 1, failure: null };
    const status = { platformId: "wamid.out.b", deliveryId: null, ...failed };
    await trial.store.accept(cloud, [{ kind: "status", status }], everybody);
    await trial.store.redeliver("b");
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(chat);
    await settle();
    await pass(2_000);
    expect(sentIds()).toEqual(["a", "b", "c", "b", "b"]);
    expect(states("a", "b", "c")).toEqual(["sent", "sent", "sent"]);
  });

  test("is asked for one after the other, no faster than it lets one, and what is new goes on beside", async () => {
    const asked = lookUp();
    trial.channel = {
      ...trial.channel,
      askPace: { perSecond: 1, recipientIntervalMs: 1_000, recipientBurst: 1 },
    };
    for (const chat of [1, 2, 3]) {
      await queue(`+1555000111${chat}`, `a${chat}`);
      await trial.store.markSending(`a${chat}`);
    }
    trial.outbox.start();
    await pass(2_000);
    trial.outbox.wake(await queue("+15550002222", "new"));
    await settle();
    expect([asked.length, sentIds()]).toEqual([1, ["a1", "new"]]);
    await pass(1_200);
    expect(asked.length).toBe(2);
    await pass(1_200);
    expect(states("a1", "a2", "a3")).toEqual(["sent", "sent", "sent"]);
  });

  test("that does not tell: it is sent again, three times in all", async () => {
    lookUp(refuses("no"), refuses("no"), refuses("no"));
    trial.channel.answers = Array.from({ length: 5 }, () => fails("ambiguous"));
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (const seconds of [2, 8, 32, 128]) await pass(seconds * 1_000);
    expect([sentIds().length, ...states("a")]).toEqual([3, "failed"]);
  });

  test("that does not answer is asked again, and nothing is sent meanwhile", async () => {
    const asked = lookUp(
      refuses("unsent"),
      refuses("ambiguous"),
      refuses("ambiguous"),
      refuses("backoff", 60_000),
      { ok: true, found: [["w1"]] },
    );
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (const seconds of [2, 2, 4, 8, 30]) await pass(seconds * 1_000);
    expect([asked.length, sentIds(), ...states("a")]).toEqual([4, ["a"], "sending"]);
    expect(trial.store.delivery("a")).toMatchObject({ attempts: 1, unanswered: 1 });
    await pass(30_000);
    expect([asked.length, sentIds(), ...states("a")]).toEqual([5, ["a"], "sent"]);
    expect(trial.outbox.unreached(cloud)).toBeNull();
  });

  test("the log says why it cannot be asked, or not yet", async () => {
    const warn = spyOn(silentLog, "warn");
    lookUp(refuses("backoff"), refuses("no"));
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (const seconds of [2, 2]) await pass(seconds * 1_000);
    const said = warn.mock.calls.map((words) => words.at(-1));
    warn.mockRestore();
    expect(sentIds()).toEqual(["a", "a"]);
    expect(said.slice(1)).toEqual([
      "whether a send without an answer arrived is not known yet: hint",
      "whether a send without an answer arrived cannot be found out: hint",
      "sending again without knowing whether the first try arrived: it may arrive twice",
    ]);
  });

  test("that is too busy is asked less and less often", async () => {
    const busy: SentLookup = {
      ok: false,
      failure: { retry: "backoff", afterMs: null, code: "429", hint: "hint" },
    };
    const asked = lookUp(busy, busy, busy);
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const counts: number[] = [];
    for (const seconds of [2, 2, 3, 1, 7, 1]) {
      await pass(seconds * 1_000);
      counts.push(asked.length);
    }
    expect(counts).toEqual([1, 2, 2, 3, 3, 4]);
  });

  test("while the daemon stops, it stays in doubt", async () => {
    lookUp();
    trial.channel.findSent = (_delivery, _since, signal) =>
      new Promise((answer) => signal.addEventListener("abort", () => answer(refuses("ambiguous"))));
    await queue("+15550001111", "a");
    await trial.store.markSending("a");
    const before = trial.store.delivery("a");
    trial.outbox.start();
    await pass(2_000);
    const drained = trial.outbox.drain(1_000);
    await pass(1_000);
    await drained;
    await settle();
    expect(trial.store.delivery("a")).toEqual(before);
    expect([sentIds(), trial.outbox.lastFailure(cloud)]).toEqual([[], null]);
  });

  test("that refuses the account: it is held, and asked again once it works", async () => {
    const asked = lookUp(refuses("hold"), { ok: true, found: [["w1"]] });
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(2_000);
    expect([asked.length, trial.outbox.heldBy(cloud)?.code]).toEqual([1, "code"]);
    await pass(10_000);
    expect([asked.length, sentIds(), ...states("a")]).toEqual([2, ["a"], "sent"]);
  });
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
