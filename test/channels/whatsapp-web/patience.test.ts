import { expect, mock, test } from "bun:test";
import { getEventListeners } from "node:events";
import {
  abortable,
  DeadlineExceeded,
  within,
} from "../../../src/channels/whatsapp-web/patience.ts";
import { fakeClock } from "../../support/clock.ts";

const never = new Promise<never>(() => {});
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

/** Hears what nobody listens to, which would end the process. */
async function unheardOf(act: () => void) {
  const unheard = mock();
  process.on("unhandledRejection", unheard);
  act();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unheard);
  return unheard;
}

test("what comes in time is the answer, and nothing is waited for any more", async () => {
  const clock = fakeClock();
  const { signal } = new AbortController();
  expect(await within(clock, 1000, Promise.resolve("fine"), signal)).toBe("fine");
  const failing = within(clock, 1000, Promise.reject(new Error("no")), signal);
  expect(await failure(failing)).toEqual(new Error("no"));
  expect(clock.pending).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("what does not is given up, and may come when it likes", async () => {
  const clock = fakeClock();
  const { signal } = new AbortController();
  const late = Promise.withResolvers<string>();
  const waiting = within(clock, 1000, late.promise, signal);
  await clock.advance(999);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  await clock.advance(1);
  expect(await failure(waiting)).toEqual(new DeadlineExceeded("no answer within 1000 ms"));
  expect(getEventListeners(signal, "abort")).toEqual([]);
  late.resolve("late");
});

test("a stop ends it with its reason", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const waiting = within(clock, 1000, never, stop.signal);
  stop.abort(new Error("stopping"));
  expect(await failure(waiting)).toEqual(new Error("stopping"));
  expect(clock.pending).toBe(0);
});

test("after a stop nothing is waited for, and what fails then is nobody's to hear", async () => {
  const clock = fakeClock();
  const late = Promise.withResolvers<never>();
  const stopped = AbortSignal.abort(new Error("stopping"));
  const waiting = within(clock, 1000, late.promise, stopped);
  expect(await failure(waiting)).toEqual(new Error("stopping"));
  expect(clock.pending).toBe(0);
  expect(await unheardOf(() => late.reject(new Error("late")))).not.toHaveBeenCalled();
});

test("without a time limit an answer is the answer, and the signal is listened to no more", async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve("fine"), signal)).toBe("fine");
  const failing = abortable(Promise.reject(new Error("no")), signal);
  expect(await failure(failing)).toEqual(new Error("no"));
  await Promise.resolve();
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test.each(["before", "while"])("a stop %s it is waited for ends it too", async (when) => {
  const stop = new AbortController();
  const late = Promise.withResolvers<never>();
  if (when === "before") stop.abort(new Error("stopping"));
  const waiting = abortable(late.promise, stop.signal);
  stop.abort(new Error("stopping"));
  expect(await failure(waiting)).toEqual(new Error("stopping"));
  expect(await unheardOf(() => late.reject(new Error("late")))).not.toHaveBeenCalled();
});
