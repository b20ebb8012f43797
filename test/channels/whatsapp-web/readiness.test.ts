import { expect, test } from "bun:test";
import { Readiness } from "../../../src/channels/whatsapp-web/readiness.ts";
import { fakeClock } from "../../support/clock.ts";

function setup() {
  const clock = fakeClock();
  const readiness = new Readiness(clock);
  const stop = new AbortController();
  return { clock, readiness, stop, wait: () => readiness.wait(stop.signal) };
}

test("all who wait hear that the connection stands", async () => {
  const { clock, readiness, wait } = setup();
  const waiting = [wait(), wait()];
  await clock.advance(9_999);
  readiness.reached();
  expect(await Promise.all(waiting)).toEqual([true, true]);
  expect(clock.pending).toBe(0);
});

test("nobody waits longer than a moment, and that it stood before is no answer", async () => {
  const { clock, readiness, wait } = setup();
  readiness.reached();
  const waiting = wait();
  await clock.advance(10_000);
  expect(await waiting).toBe(false);
});

test("who is stopped does not wait", async () => {
  const { clock, stop, wait } = setup();
  const waiting = wait();
  stop.abort(new Error("stopping"));
  await expect(waiting).rejects.toThrow("stopping");
  expect(clock.pending).toBe(0);
});
