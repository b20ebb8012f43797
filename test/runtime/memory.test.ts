import { expect, test } from "bun:test";
import { releaseMemoryAtRest } from "../../src/runtime/memory.ts";
import { fakeClock } from "../support/clock.ts";

/** Lets intervals of five seconds pass in which the process works for so long each, ms; answers when it released. */
async function releasesOf(...worked: number[]): Promise<number[]> {
  const clock = fakeClock();
  let used = 80;
  let passed = 0;
  const releases: number[] = [];
  const stop = releaseMemoryAtRest({
    clock,
    processorMs: () => used,
    release: () => {
      releases.push(passed);
      // As on a slow machine.
      used += 1_200;
    },
  });
  for (const ms of worked) {
    used += ms;
    passed++;
    await clock.advance(5_000);
  }
  stop();
  expect(clock.pending).toBe(0);
  return releases;
}

test("memory is given back once after the start", async () => {
  expect(await releasesOf(10, 10, 10, 10)).toEqual([1]);
});

test("not while the process works", async () => {
  expect(await releasesOf(400, 50, 400, 10)).toEqual([4]);
});

test("again after work that left something, and not for little", async () => {
  expect(await releasesOf(10, 10, 600, 10, 10, 10)).toEqual([1]);
  expect(await releasesOf(10, 10, 600, 10, 600, 10, 10, 10)).toEqual([1, 6]);
});

test("an idle process, whose timers take a little, does not do it over and over", async () => {
  const idle = Array.from({ length: 600 }, () => 20);
  expect(await releasesOf(...idle)).toEqual([1]);
});
