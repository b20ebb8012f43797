import { expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { sleep, systemClock } from "../../src/runtime/clock.ts";
import { fakeClock } from "../support/clock.ts";

const source = join(import.meta.dir, "../../src/runtime/clock.ts");

test("a process does not stay for a timer alone", async () => {
  const script = `import { systemClock } from ${JSON.stringify(source)};
    systemClock.after(600_000, () => {});`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore" });
  expect(await child.exited).toBe(0);
});

test("a timer that is further off than the runtime counts does not go off at once", async () => {
  let called = false;
  const cancel = systemClock.after(2 ** 32, () => (called = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  cancel();
  expect(called).toBe(false);
});

test("a sleep that is broken off ends with the reason, and leaves no timer", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const asleep = sleep(clock, 1_000, stop.signal);
  expect(clock.pending).toBe(1);
  stop.abort(new Error("enough"));
  expect(await asleep.catch(String)).toBe("Error: enough");
  expect(clock.pending).toBe(0);
  expect(await sleep(clock, 1_000, stop.signal).catch(String)).toBe("Error: enough");
  expect(clock.pending).toBe(0);
});

test("a sleep that is over asks the signal no more", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const asleep = sleep(clock, 1_000, stop.signal);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(1);
  await clock.advance(1_000);
  await asleep;
  expect(getEventListeners(stop.signal, "abort")).toEqual([]);
});
