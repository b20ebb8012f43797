import { expect, test } from "bun:test";
import { Newest } from "../../src/runtime/newest.ts";

test("what does not fit is the oldest; what is set anew is new again", () => {
  const newest = new Newest<number>(2);
  newest.set("a", 1).set("b", 2).set("a", 3);
  expect([...newest]).toEqual([
    ["b", 2],
    ["a", 3],
  ]);
  newest.set("c", 4);
  expect([...newest.keys()]).toEqual(["a", "c"]);
});
