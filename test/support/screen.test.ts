import { expect, test } from "bun:test";
import { Screen } from "./screen.ts";

test.each<[string, string[], string[]]>([
  ["text and new lines", ["one\r\ntwo\r\n"], ["one", "two"]],
  ["colours", ["\u001b[1;32mone\u001b[0m"], ["one"]],
  ["what is written over", ["one\rt"], ["tne"]],
  ["a line that wraps", ["0123456789ab"], ["0123456789", "ab"]],
  ["a full line, which ends once", ["0123456789\r\nab"], ["0123456789", "ab"]],
  [
    "up, to a column, and all below erased",
    ["a\r\nb\r\nc\u001b[1A\u001b[1G\u001b[0Jx"],
    ["a", "x"],
  ],
  ["erasing to the end of the line", ["abc\u001b[2D\u001b[K"], ["a"]],
  ["a blank where nothing was written", ["\u001b[4Gx"], ["   x"]],
  ["a sequence that comes in two", ["ab\u001b[", "1Gx"], ["xb"]],
])("shows %s", (_, outputs, lines) => {
  const screen = new Screen(10);
  for (const output of outputs) screen.write(output);
  expect(screen.lines).toEqual(lines);
});
