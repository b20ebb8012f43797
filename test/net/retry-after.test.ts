import { expect, test } from "bun:test";
import { retryAfterMs } from "../../src/net/retry-after.ts";

const now = Date.parse("2026-11-20T00:00:00Z");

test.each<[string | null, number | null]>([
  [null, null],
  ["", null],
  ["120", 120_000],
  ["1.5", 1_500],
  ["0", 0],
  ["999999999", 86_400_000],
  ["Fri, 20 Nov 2026 00:01:00 GMT", 60_000],
  ["Fri, 20 Nov 2026 00:00:00 GMT", 0],
  ["Thu, 19 Nov 2026 00:00:00 GMT", null],
  ["soon", null],
  ["-5", null],
])("Retry-After: %p", (value, expected) => {
  const headers = new Headers(value === null ? {} : { "retry-after": value });
  expect(retryAfterMs(headers, now)).toBe(expected);
});

test.each<[string, number | null]>([
  ["250", 250],
  ["12.25", 13],
  ["999999999", 86_400_000],
  ["soon", 2_000],
  ["", 2_000],
  ["-5", 2_000],
])("retry-after-ms: %p wins where it is a number", (value, expected) => {
  const headers = new Headers({ "retry-after": "2", "retry-after-ms": value });
  expect(retryAfterMs(headers, now)).toBe(expected);
});
