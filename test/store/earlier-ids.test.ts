import { expect, test } from "bun:test";
import { earlierIds, withEarlierId } from "../../src/store/earlier-ids.ts";

test("ids are kept in the order of the tries, those of long ago excepted", () => {
  expect(earlierIds(null)).toEqual([]);
  expect(withEarlierId(null, null)).toBeNull();
  let stored: string | null = null;
  for (let n = 1; n <= 60; n++) stored = withEarlierId(stored, `wamid."${n}`);
  expect(withEarlierId(stored, null)).toBe(stored);
  expect(earlierIds(stored)).toHaveLength(50);
  expect(earlierIds(stored)[0]).toBe('wamid."11');
});

test.each(["wamid.1", "[1]", "", '"1"'])("one id as it was kept before, %j, is one", (id) => {
  expect(earlierIds(id)).toEqual([id]);
  expect(earlierIds(withEarlierId(id, "2"))).toEqual([id, "2"]);
});
