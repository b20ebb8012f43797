import { expect, test } from "bun:test";
import { newId } from "../../src/runtime/ids.ts";

test("ids sort by the time of their making, to the millisecond", () => {
  const start = Date.parse("2026-01-01T00:00:00Z");
  const times = [0, 1, 31, 32, 33, 1_000, 1_024, 86_400_000, 365 * 86_400_000, 10_000 * 86_400_000];
  const ids = times.map((ms) => newId(start + ms));
  expect(ids.toSorted()).toEqual(ids);
});

test("no two of one millisecond are alike, and each is fit for a path or an address", () => {
  const ids = Array.from({ length: 1_000 }, () => newId(1_767_225_600_000));
  expect(new Set(ids).size).toBe(1_000);
  expect(new Set(ids.map((id) => id.slice(0, 9))).size).toBe(1);
  for (const id of ids) expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{25}$/);
});
