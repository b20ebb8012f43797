import { expect, test } from "bun:test";
import { BelievedTime } from "../../src/conversation/believed-time.ts";
import { fakeClock } from "../support/clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Looked at once a minute from `start`, while the clock is set by `jumps` after so many minutes. */
function after(minutes: number, jumps: Record<number, number>): number {
  let at = 0;
  const time = new BelievedTime({ ...fakeClock(), now: () => at });
  for (let passed = 1; passed <= minutes; passed++) {
    at += minute + (jumps[passed] ?? 0);
    time.now();
  }
  return time.now();
}

test.each<[string, number, Record<number, number>, number]>([
  ["a clock that goes is believed", 5 * day, {}, 5 * day],
  ["one that is set by a little is", 10 * minute, { 5: 30 * minute }, 40 * minute],
  [
    "one that is set by so much that an hour has passed is",
    hour,
    { 5: hour - minute },
    2 * hour - minute,
  ],
  ["one that is set by more is not", hour, { 5: hour - minute + 1 }, hour - minute],
  ["nor where that was before the first look", hour, { 1: 9 * day }, hour - minute],
  ["a jump ahead is not", hour, { 30: 1000 * day }, hour - minute],
  ["nor are two", hour, { 20: 9 * day, 30: 9 * day }, hour - 2 * minute],
  ["until it has lasted for a day", day + hour, { 30: 1000 * day }, 1001 * day + hour],
  ["and not a minute less", day + 29 * minute, { 30: 9 * day }, day + 28 * minute],
  ["nor more", day + 30 * minute, { 30: 9 * day }, 10 * day + 30 * minute],
  ["each for itself", day + hour, { 30: 9 * day, 90: 7 * day }, 10 * day + hour - minute],
  [
    "one that is set right again leaves nothing",
    hour,
    { 20: 9 * day, 30: -9 * day },
    hour - 2 * minute,
  ],
  [
    "set right in part, what is left is doubted on",
    hour,
    { 20: 9 * day, 30: 9 * day, 40: -10 * day },
    hour - 3 * minute,
  ],
  ["one that is set back is believed at once", hour, { 30: -9 * day }, hour - 9 * day],
])("%s", (_, passed, jumps, expected) => {
  expect(after(passed / minute, jumps)).toBe(expected);
});

test("a machine that sleeps each night falls no further behind than some nights", () => {
  let at = 0;
  const time = new BelievedTime({ ...fakeClock(), now: () => at });
  for (let passed = 0; passed < 100; passed++) {
    for (let awake = 0; awake < 16 * 60; awake++) {
      at += minute;
      time.now();
    }
    at += 8 * hour;
  }
  expect(at - time.now()).toBeLessThanOrEqual(2 * day);
});
