import { expect, test } from "bun:test";

const one = { a: 1 };

test("an expectation that names one object twice is refused", () => {
  const match = (expected: object) => () => expect([{ a: 1 }, { a: 3 }]).toMatchObject(expected);
  expect(match([one, one])).toThrow("one object twice");
  expect(() => expect({ x: one, y: { z: one } }).toMatchObject({ x: one, y: { z: one } })).toThrow(
    "one object twice",
  );
  expect(match([{ ...one }, { ...one }])).toThrow();
  expect(match([{ a: 1 }, { a: 3 }])).not.toThrow();
});

test("a matcher may stand in several places", () => {
  const number = expect.any(Number);
  expect([{ a: 1 }, { a: 3 }]).toMatchObject([{ a: number }, { a: number }]);
});
