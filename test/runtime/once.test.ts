import { expect, test } from "bun:test";
import { onceLoaded } from "../../src/runtime/once.ts";

test("what was loaded is loaded once, also by those who ask meanwhile", async () => {
  let loads = 0;
  const load = onceLoaded(async () => ++loads);
  expect(await Promise.all([load(), load()])).toEqual([1, 1]);
  expect(await load()).toBe(1);
});

test("a load that failed fails those who waited for it, and is tried again by the next", async () => {
  let loads = 0;
  const load = onceLoaded(async () => {
    if (++loads === 1) throw new Error("EMFILE");
    return loads;
  });
  const [one, other] = await Promise.allSettled([load(), load()]);
  expect([one?.status, other?.status]).toEqual(["rejected", "rejected"]);
  expect(await load()).toBe(2);
  expect(await load()).toBe(2);
});
