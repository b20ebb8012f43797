import { expect, test } from "bun:test";
import { keepAlive } from "../../../src/channels/whatsapp-web/keepalive.ts";
import { fakeClock } from "../../support/clock.ts";

function setup(answers: (number: number) => Promise<void>, random = 0) {
  const clock = fakeClock();
  let pings = 0;
  let silences = 0;
  const stop = keepAlive({
    clock,
    random: () => random,
    ping: () => answers(++pings),
    onSilence: () => void silences++,
  });
  return { clock, stop, counts: () => ({ pings, silences }) };
}

const never = () => new Promise<void>(() => {});

test("pings every 20 to 30 s while each ping is answered", async () => {
  const soon = setup(async () => {});
  await soon.clock.advance(100_000);
  expect(soon.counts()).toEqual({ pings: 5, silences: 0 });
  const late = setup(async () => {}, 1);
  await late.clock.advance(100_000);
  expect(late.counts()).toEqual({ pings: 3, silences: 0 });
});

test("a ping without its answer within 10 s is silence, told once", async () => {
  const { clock, counts } = setup((number) => (number < 2 ? Promise.resolve() : never()));
  await clock.advance(49_999);
  expect(counts()).toEqual({ pings: 2, silences: 0 });
  await clock.advance(1);
  expect(counts()).toEqual({ pings: 2, silences: 1 });
  await clock.advance(200_000);
  expect(counts()).toEqual({ pings: 2, silences: 1 });
});

test("a ping that cannot be written is silence at once", async () => {
  const { clock, counts } = setup(() => Promise.reject(new Error("closed")));
  await clock.advance(20_000);
  expect(counts()).toEqual({ pings: 1, silences: 1 });
});

test("stopped, nothing is sent and nothing told", async () => {
  const { clock, stop, counts } = setup(never);
  await clock.advance(20_000);
  stop();
  expect(clock.pending).toBe(0);
  await clock.advance(60_000);
  expect(counts()).toEqual({ pings: 1, silences: 0 });
  expect(clock.pending).toBe(0);
});

test("an answer that comes after the stop, or after the silence, begins nothing anew", async () => {
  for (const end of ["stop", "silence"]) {
    const answer = Promise.withResolvers<void>();
    const { clock, stop, counts } = setup(() => answer.promise);
    await clock.advance(20_000);
    if (end === "stop") stop();
    else await clock.advance(10_000);
    answer.resolve();
    await clock.advance(0);
    expect([end, clock.pending]).toEqual([end, 0]);
    expect(counts()).toEqual({ pings: 1, silences: end === "stop" ? 0 : 1 });
  }
});

test("a ping that fails once silence was told is told no more", async () => {
  const answer = Promise.withResolvers<void>();
  const { clock, counts } = setup(() => answer.promise);
  await clock.advance(30_000);
  answer.reject(new Error("closed"));
  await clock.advance(60_000);
  expect(counts()).toEqual({ pings: 1, silences: 1 });
});

test("a ping that failed is waited for no more", async () => {
  const { clock, counts } = setup(() => Promise.reject(new Error("closed")));
  await clock.advance(20_000);
  expect([counts().silences, clock.pending]).toEqual([1, 0]);
});
