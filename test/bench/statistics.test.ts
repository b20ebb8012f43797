import { describe, expect, test } from "bun:test";
import { alternate, compare, median, pairs, percentile } from "../../scripts/bench/statistics.ts";

describe("median", () => {
  test.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])("%j is %d", (values, middle) => expect(median(values)).toBe(middle));

  test("of nothing is no number", () => expect(median([])).toBeNaN());
});

describe("percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  test.each([
    [hundred, 0.99, 99],
    [hundred, 0.5, 50],
    [hundred, 1, 100],
    [hundred, 0, 1],
    [[7], 0.99, 7],
    [[1, 2, 3], 0.5, 2],
  ])("nearest rank (%#)", (values, share, expected) =>
    expect(percentile(values, share)).toBe(expected),
  );
});

describe("compare", () => {
  test("the ratio is the rounds' own, not that of the medians", () => {
    const found = compare([
      { revka: 10, baseline: 20 },
      { revka: 1, baseline: 4 },
      { revka: 100, baseline: 125 },
    ]);
    expect(found).toEqual({ revka: 10, baseline: 20, ratio: 0.5, lowest: 0.25, highest: 0.8 });
  });
});

describe("alternate", () => {
  test("goes to and fro, baseline first", async () => {
    const order: string[] = [];
    const said = (name: string) => async (round: number) => {
      order.push(`${name}${round}`);
      return round;
    };
    const measured = await alternate(2, said("A"), said("B"));
    expect(order).toEqual(["A0", "B0", "A1", "B1"]);
    expect(pairs(measured, (it) => it * 2)).toEqual([
      { revka: 0, baseline: 0 },
      { revka: 2, baseline: 2 },
    ]);
  });
});
