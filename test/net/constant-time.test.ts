import { expect, test } from "bun:test";
import { equalInConstantTime } from "../../src/net/constant-time.ts";

test.each([
  ["secret", "secret", true],
  ["secret", "secreT", false],
  ["secret", "secret ", false],
  ["", "secret", false],
  ["", "", true],
  ["é", "é", true],
])("%p and %p: %p", (a, b, expected) => {
  expect(equalInConstantTime(a, b)).toBe(expected);
  expect(equalInConstantTime(new TextEncoder().encode(a), b)).toBe(expected);
});
