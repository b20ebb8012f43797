import { describe, expect, spyOn, test } from "bun:test";
import type { SentLookup } from "../../src/channels/channel.ts";
import type { SendFailure, SendResult } from "../../src/channels/message.ts";
import { fakeChannel } from "../support/channel.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody } from "../support/store.ts";

const { trial, open, pass, queue, sentIds, states } = outboxTrial();

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
    expect(trial.outbox.unreached(cloud)?.retry).toBe("backoff");
    expect(trial.outbox.lastFailure(cloud)?.at).toBe(trial.clock.now() - 30_000);
    await pass(30_000);
    expect([asked.length, sentIds(), ...states("a")]).toEqual([5, ["a"], "sent"]);
    expect(trial.outbox.unreached(cloud)).toBeNull();
  });

  test.each(["ambiguous", "backoff"] as const)(
    "that never tells of one (%s) is asked for an hour; then it is sent again, and the chat goes on",
    async (retry) => {
      lookUp(...Array.from({ length: 99 }, () => refuses(retry)));
      trial.channel.answers = [fails("ambiguous")];
      trial.outbox.wake(await queue("+15550001111", "a", "b"));
      await settle();
      for (let minute = 0; minute < 58; minute++) await pass(60_000);
      expect(sentIds()).toEqual(["a"]);
      for (let minute = 0; minute < 10; minute++) await pass(60_000);
      expect(sentIds()).toEqual(["a", "a", "b"]);
    },
  );

  test("that cannot be reached is asked for as long as that is so", async () => {
    lookUp(...Array.from({ length: 99 }, () => refuses("unsent")));
    trial.channel.answers = [fails("ambiguous")];
    trial.outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (let minute = 0; minute < 180; minute++) await pass(60_000);
    expect([sentIds(), ...states("a")]).toEqual([["a"], "sending"]);
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

  test.each(["unsent", "backoff", "recipient", "hold"] as const)(
    "is asked again where it told nothing and the repeat was put off (%s)",
    async (retry) => {
      const asked = lookUp(refuses("no"), { ok: true, found: [["w1"]] });
      trial.channel.answers = [fails("ambiguous"), fails(retry)];
      trial.outbox.wake(await queue("+15550001111", "a"));
      await settle();
      for (const seconds of [2, 20]) await pass(seconds * 1_000);
      expect([asked.length, sentIds(), ...states("a")]).toEqual([2, ["a", "a"], "sent"]);
      expect(trial.store.delivery("a")).toMatchObject({ platformId: "w1", unanswered: 1 });
    },
  );

  test("and tells nothing while the daemon stops: nothing is sent any more", async () => {
    const answer = Promise.withResolvers<SentLookup>();
    lookUp();
    trial.channel.findSent = () => answer.promise;
    await queue("+15550001111", "a");
    await trial.store.markSending("a");
    trial.outbox.start();
    await pass(2_000);
    const drained = trial.outbox.drain(1_000);
    answer.resolve(refuses("no"));
    await drained;
    await settle();
    expect([sentIds(), ...states("a")]).toEqual([[], "sending"]);
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

  test("that leaves every question open holds up nothing new, nor does a send another question", async () => {
    lookUp();
    const told = Promise.withResolvers<SentLookup>();
    const sent = Promise.withResolvers<SendResult>();
    trial.channel.findSent = () => told.promise;
    trial.channel.answers = Array.from({ length: 140 }, () => sent.promise);
    for (let chat = 0; chat < 70; chat++) {
      await queue(`+1555000${1000 + chat}`, `asked${chat}`);
      await trial.store.markSending(`asked${chat}`);
    }
    trial.outbox.start();
    await pass(2_000);
    for (let chat = 0; chat < 70; chat++) {
      trial.outbox.wake(await queue(`+1555000${2000 + chat}`, `new${chat}`));
    }
    await settle();
    expect(sentIds()).toEqual(Array.from({ length: 64 }, (_, chat) => `new${chat}`));
    sent.resolve({ ok: true, platformId: null });
    told.resolve({ ok: true, found: [["w"]] });
    await settle();
  });
});
