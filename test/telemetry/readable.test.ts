import { expect, test } from "bun:test";
import { readableLine } from "../../src/telemetry/readable.ts";

const time = new Date(2026, 0, 2, 9, 5, 7).toISOString();
const line = (fields: object, color = false) =>
  readableLine(`${JSON.stringify({ level: "info", time, msg: "m", ...fields })}\n`, color);

test.each<[name: string, fields: object, shown: string]>([
  ["nothing beside the message", {}, "09:05:07 info  m\n"],
  ["a longer level", { level: "error" }, "09:05:07 error m\n"],
  ["a word and a number", { channel: "wati", code: 5 }, "09:05:07 info  m  channel=wati code=5\n"],
  ["words", { reason: "not now" }, '09:05:07 info  m  reason="not now"\n'],
  ["what would pass for a field", { a: "b=c" }, '09:05:07 info  m  a="b=c"\n'],
  ["a quotation mark", { a: 'b"c' }, '09:05:07 info  m  a="b\\"c"\n'],
  ["nothing", { a: "", b: null }, '09:05:07 info  m  a="" b=null\n'],
  [
    "a list and an object",
    { a: [1, "b"], c: { d: true } },
    '09:05:07 info  m  a=[1,"b"] c={"d":true}\n',
  ],
  ["what steers a terminal", { "\u001b[2J": "\u202ea" }, "09:05:07 info  m  \\u001b[2J=\\u202ea\n"],
  ["a message of several lines", { msg: "a\nb" }, "09:05:07 info  a\\u000ab\n"],
  ["no message", { msg: undefined }, "09:05:07 info  \n"],
  ["a time that is none", { time: "then" }, "then info  m\n"],
])("%s", (_, fields, shown) => {
  expect(line(fields)).toBe(shown);
});

test("in colour: the level in its own, the rest faint", () => {
  expect(line({}, true)).toBe("\u001b[2m09:05:07\u001b[0m \u001b[32minfo \u001b[0m m\n");
  expect(line({ level: "warn", a: 1 }, true)).toBe(
    "\u001b[2m09:05:07\u001b[0m \u001b[33mwarn \u001b[0m m  \u001b[2ma=1\u001b[0m\n",
  );
  expect(line({ level: "other" }, true)).toContain(" other\u001b[0m m");
});

test.each(["no JSON\n", "null\n", "5\n", "[1]\n", '"text"\n', ""])("%j stays as it is", (text) => {
  expect(readableLine(text, false)).toBe(text);
});
