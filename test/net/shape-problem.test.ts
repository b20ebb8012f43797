import { expect, test } from "bun:test";
import * as v from "valibot";
import { jsonObject } from "../../src/net/json-object.ts";
import { shapeProblem, shapeProblems } from "../../src/net/shape-problem.ts";

const schema = v.strictObject({
  to: v.pipe(v.string(), v.nonEmpty(), v.maxLength(8)),
  parts: v.array(jsonObject({ size: v.optional(v.pipe(v.number(), v.minValue(1))) })),
  from: v.optional(v.union([v.string(), v.object({ name: v.string() })])),
});
const issuesOf = (value: unknown) => v.safeParse(schema, value).issues ?? [];

test.each<[name: string, value: unknown, problem: string]>([
  ["nothing", { to: "a", parts: [] }, ""],
  ["another type", { to: "a", parts: "secret" }, "parts: expected a list, found a text"],
  ["a missing key", { parts: [] }, "to: missing"],
  ["a key too many", { to: "a", parts: [], secret: "secret" }, "secret: unknown key"],
  [
    "a list for an object",
    { to: "a", parts: [{}, []] },
    "parts[1]: expected an object, found a list",
  ],
  [
    "a value out of bounds",
    { to: "a", parts: [{ size: 0 }] },
    "parts[0].size: Invalid value: Expected >=1 but received 0",
  ],
  ["a text too long", { to: "abcdefghi", parts: [] }, "to: longer than 8"],
  ["an empty text", { to: "", parts: [] }, "to: empty"],
  ["no object at all", "secret", "expected an object, found a text"],
])("%s", (_, value, problem) => {
  expect(shapeProblem(issuesOf(value))).toBe(problem);
  expect(shapeProblems(issuesOf(value))).toBe(problem);
});

test("all of them, and what each shape of several lacks", () => {
  const value = { parts: [{ size: "secret" }], from: { name: 7 } };
  expect(shapeProblem(issuesOf(value))).toBe("to: missing");
  expect(shapeProblems(issuesOf(value))).toBe(
    "to: missing; parts[0].size: expected a number, found a text; from: expected a text, found an object; from.name: expected a text, found a number",
  );
});
