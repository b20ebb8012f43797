import { expect, test } from "bun:test";
import { startDeadline } from "../../src/net/deadline.ts";
import { fakeClock } from "../support/clock.ts";

test("aborts when its time is over", async () => {
  const clock = fakeClock();
  const deadline = startDeadline(clock, 1000, new AbortController().signal);
  await clock.advance(999);
  expect([deadline.signal.aborted, deadline.expired]).toEqual([false, false]);
  await clock.advance(1);
  expect([deadline.signal.aborted, deadline.expired]).toEqual([true, true]);
});

test("called off, it leaves the caller's signal in force", async () => {
  const clock = fakeClock();
  const caller = new AbortController();
  const deadline = startDeadline(clock, 1000, caller.signal);
  deadline.cancel();
  await clock.advance(5000);
  expect([deadline.signal.aborted, clock.pending]).toEqual([false, 0]);
  caller.abort();
  expect([deadline.signal.aborted, deadline.expired]).toEqual([true, false]);
});
