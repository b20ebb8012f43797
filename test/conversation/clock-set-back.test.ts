import { beforeEach, expect, test } from "bun:test";
import type { Clock } from "../../src/runtime/clock.ts";
import { fakeChannel } from "../support/channel.ts";
import type { FakeClock } from "../support/clock.ts";
import { outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, message } from "../support/store.ts";
import { turnsOver } from "../support/turns.ts";

// A machine without a battery-backed clock starts with a wrong date, and the network puts it right later.

const year = 365 * 86_400_000;
let offset = 0;
const wrong = (clock: FakeClock): Clock => ({
  now: () => clock.now() + offset,
  after: (ms, callback) => clock.after(ms, callback),
});
beforeEach(() => {
  offset = 0;
});

const { trial, pass, queue } = outboxTrial(wrong);

const send = async (id: string) => {
  const chat = await queue("+15550001111", id);
  trial.outbox.wake(chat);
  await settle();
  return chat;
};

const lost = { afterMs: null, code: "code", hint: "hint" };

for (const [retry, wait] of [
  ["backoff", 2_000],
  ["ambiguous", 60_000],
] as const) {
  test(`a delivery that waits (${retry}) is tried again after the wait it was given`, async () => {
    const failure = { retry, afterMs: null, code: "code", hint: "hint" };
    trial.channel.answers = [{ ok: false, failure }];
    const chat = await send("a");
    offset = -year;
    trial.outbox.wake(chat);
    await settle();
    await pass(wait - 500);
    expect(trial.channel.sent.length).toBe(1);
    await pass(1_000);
    expect(trial.channel.sent.length).toBe(2);
  });
}

test("a delivery whose answer was lost is still asked for, and not sent again unasked", async () => {
  const failure = { retry: "ambiguous" as const, afterMs: null, code: "code", hint: "hint" };
  trial.channel = fakeChannel({
    repeat: "ask",
    graceMs: 2_000,
    findSent: async () => ({ ok: true, found: [["w"]] }),
  });
  trial.channel.answers = [{ ok: false, failure }];
  const chat = await send("a");
  offset = -year;
  trial.outbox.wake(chat);
  await settle();
  await pass(3_000);
  expect(trial.channel.sent.length).toBe(1);
  expect(trial.store.delivery("a")).toMatchObject({ state: "sent", platformId: "w" });
});

test("a delivery that a kill left in doubt waits the grace and no year", async () => {
  const chat = await send("a");
  await trial.store.enqueue(chat, [{ id: "b", content: { kind: "text", text: "b", quote: null } }]);
  await trial.store.markSending("b");
  offset = -year;
  trial.outbox.wake(chat);
  await settle();
  await pass(61_000);
  expect(trial.channel.sent.map((delivery) => delivery.id)).toEqual(["a", "b"]);
});

test("what a platform is asked to have sent since, is no later than the clock has ever said", async () => {
  const asked: number[] = [];
  trial.channel = fakeChannel({
    repeat: "ask",
    graceMs: 2_000,
    findSent: async (_delivery, since) => {
      asked.push(since);
      return { ok: true, found: [["w1"]] };
    },
  });
  trial.channel.answers = [{ ok: false, failure: { ...lost, retry: "ambiguous" } }];
  const chat = await queue("+15550001111", "a");
  offset = -year;
  const began = wrong(trial.clock).now();
  trial.outbox.wake(chat);
  await settle();
  await pass(3_000);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toBeLessThanOrEqual(began);
});

test("a burst is over after its longest wait, whatever time its messages bear", async () => {
  let asked = 0;
  const turns = turnsOver(
    trial.store,
    () => trial.channel,
    wrong(trial.clock),
    async () => {
      asked++;
      return { parts: [] };
    },
    { debounceMs: 100 },
  );
  await trial.store.accept(cloud, [{ kind: "message", message: message() }], everybody);
  offset = -year;
  turns.start();
  await pass(301);
  expect(asked).toBe(1);
  const drained = turns.drain(0);
  await pass(2_000);
  await drained;
});

test("what came in last is told by the clock as it is now", async () => {
  const accept = () =>
    trial.store.accept(cloud, [{ kind: "message", message: message() }], everybody);
  await accept();
  offset = -year;
  await accept();
  expect(trial.store.sources()[0]?.lastInboundAt).toBe(wrong(trial.clock).now());
});
