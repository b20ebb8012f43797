import { expect } from "bun:test";

// Preloaded before every test. Bun 1.4.5's `toMatchObject` takes an object that it meets a second time for equal, so an
// expectation that names one object twice cannot fail by the second.

type Matcher = (this: unknown, expected: unknown, ...rest: unknown[]) => unknown;

const matchers = Object.getPrototypeOf(expect(0)) as { toMatchObject: Matcher };
const { toMatchObject } = matchers;
matchers.toMatchObject = function (expected, ...rest) {
  refuseTwice(expected, new Set());
  return toMatchObject.call(this, expected, ...rest);
};

function refuseTwice(value: unknown, seen: Set<unknown>): void {
  if (!isPlain(value)) return;
  if (seen.has(value)) throw new Error("toMatchObject is given one object twice: copy it");
  seen.add(value);
  for (const item of Object.values(value)) refuseTwice(item, seen);
}

/** Not a matcher such as `expect.any`, which may stand in several places. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
