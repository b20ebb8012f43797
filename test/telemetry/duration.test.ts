import { expect, test } from "bun:test";
import { ago, duration } from "../../src/telemetry/duration.ts";

test.each([
  [-5, "0 s"],
  [0.9, "0 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [3_599, "59 min"],
  [3_600, "1 h"],
  [3_660, "1 h 1 min"],
  [86_399, "23 h 59 min"],
  [86_400, "1 d"],
  [86_400 + 3_599, "1 d"],
  [2 * 86_400 + 4 * 3_600, "2 d 4 h"],
])("%d seconds are %s", (seconds, words) => expect(duration(seconds)).toBe(words));

const now = Date.parse("2026-01-01T12:00:00Z");
test.each([
  [null, "never"],
  ["2026-01-01T11:57:00Z", "3 min ago"],
  ["2026-01-01T12:57:00Z", "0 s ago"],
  ["some day", "some day"],
])("%p was %s", (at, words) => expect(ago(at, now)).toBe(words));
