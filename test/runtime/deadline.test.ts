import { expect, test } from "bun:test";
import { Deadline } from "../../src/runtime/deadline.ts";
import { fakeClock } from "../support/clock.ts";

const never = new Promise<string>(() => {});

test("what ends in time passes, well or not", async () => {
  const deadline = new Deadline(fakeClock(), 1_000);
  expect(await deadline.within(Promise.resolve("done"), "late")).toBe("done");
  await expect(deadline.within(Promise.reject(new Error("broken")), "late")).rejects.toThrow(
    "broken",
  );
});

test("each has the whole limit for itself, and hears its own reason", async () => {
  const clock = fakeClock();
  const deadline = new Deadline(clock, 1_000);
  const heard: string[] = [];
  const wait = (name: string) =>
    deadline.within(never, name).catch((error: unknown) => heard.push(String(error)));
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
  const deadline = new Deadline(clock, 1_000);
  await deadline.within(Promise.resolve(), "late");
  await clock.advance(10_000);
  const late = deadline.within(never, "late").catch(String);
  await clock.advance(1_000);
  expect(await late).toBe("Error: late");
});

test("a clock that is set back makes nobody wait longer than the limit once more", async () => {
  const clock = fakeClock();
  let offset = 0;
  const deadline = new Deadline({ ...clock, now: () => clock.now() + offset }, 1_000);
  const heard: string[] = [];
  const wait = (name: string) =>
    void deadline.within(never, name).catch((error: unknown) => heard.push(String(error)));
  wait("first");
  await clock.advance(300);
  wait("second");
  offset = -365 * 86_400_000;
  await clock.advance(300);
  wait("third");
  await clock.advance(1_400);
  expect(heard).toEqual(["Error: first", "Error: second", "Error: third"]);
});
