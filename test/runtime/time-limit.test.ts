import { expect, test } from "bun:test";
import { TimeLimit } from "../../src/runtime/time-limit.ts";
import { fakeClock } from "../support/clock.ts";

const never = new Promise<string>(() => {});

test("what ends in time passes, well or not", async () => {
  const limit = new TimeLimit(fakeClock(), 1_000);
  expect(await limit.within(Promise.resolve("done"), "late")).toBe("done");
  await expect(limit.within(Promise.reject(new Error("broken")), "late")).rejects.toThrow("broken");
});

test("each has the whole limit for itself, and hears its own reason", async () => {
  const clock = fakeClock();
  const limit = new TimeLimit(clock, 1_000);
  const heard: string[] = [];
  const wait = (name: string) =>
    limit.within(never, name).catch((error: unknown) => heard.push(String(error)));
  void wait("first");
  await clock.advance(600);
  void wait("second");
  // One timer does for all.
  expect(clock.pending).toBe(1);
  await clock.advance(399);
  expect(heard).toEqual([]);
  await clock.advance(1);
  expect(heard).toEqual(["Error: first"]);
  await clock.advance(599);
  expect(heard).toEqual(["Error: first"]);
  await clock.advance(1);
  expect(heard).toEqual(["Error: first", "Error: second"]);
  expect(clock.pending).toBe(0);
});

test("after a quiet time the limit holds again", async () => {
  const clock = fakeClock();
  const limit = new TimeLimit(clock, 1_000);
  await limit.within(Promise.resolve(), "late");
  await clock.advance(10_000);
  const late = limit.within(never, "late").catch(String);
  await clock.advance(1_000);
  expect(await late).toBe("Error: late");
});

test("a clock that is set back makes nobody wait longer than the limit once more", async () => {
  const clock = fakeClock();
  let offset = 0;
  const limit = new TimeLimit({ ...clock, now: () => clock.now() + offset }, 1_000);
  const heard: string[] = [];
  const wait = (name: string) =>
    void limit.within(never, name).catch((error: unknown) => heard.push(String(error)));
  wait("first");
  await clock.advance(300);
  wait("second");
  offset = -365 * 86_400_000;
  await clock.advance(300);
  wait("third");
  await clock.advance(1_400);
  expect(heard).toEqual(["Error: first", "Error: second", "Error: third"]);
});
