import { describe, expect, test } from "bun:test";
import { findPositions } from "../../src/config/positions.ts";
import type { KeyPath } from "../../src/config/problems.ts";

describe("the line of a key", () => {
  test.each<[name: string, toml: string, path: KeyPath, line: number]>([
    ["a key at the top", "a = 1\nb = 2", ["b"], 2],
    ["after comments and blank lines", "# a = 1\n\n  b = 2 # c", ["b"], 3],
    ["after a comment that looks like more", "a = 1 # x, b = 2\nb = 3", ["b"], 2],
    ["after Windows line ends", "a = 1\r\nb = 2\r\n", ["b"], 2],
    ["a table", "\n[a]\nb = 1", ["a"], 2],
    ["a key of a table", "[a]\n\nb = 1", ["a", "b"], 3],
    ["a table of a table", "[a]\nx = 1\n[a.b]\nc = 1", ["a", "b", "c"], 4],
    ["the outer table of a header", "x = 1\n[a.b]", ["a"], 2],
    ["a dotted key", "[a]\nx = 1\nb.c.d = 1", ["a", "b", "c", "d"], 3],
    ["the table of a dotted key", "x = 1\na . b = 1", ["a"], 2],
    ["quoted keys", '[a."b.c"]\n"d e" = 1', ["a", "b.c", "d e"], 2],
    ["literal keys", "x = 1\n'a\"b' = 1", ['a"b'], 2],
    ["an escaped key", 'x = 1\n"\\u0061" = 1', ["a"], 2],
    ["a key that is quoted wrongly", 'x = 1\n"\\q" = 1', ["\\q"], 2],
    ["a key among tabs", "b.a = 1\n\tb\t.\tc\t=\t2", ["b", "c"], 2],
    ["an item of a list", "a = [1, 2]", ["a", 1], 1],
    ["an item of a list over several lines", 'a = [\n  "x", # ]\n\n  "y",\n]\nb = 1', ["a", 1], 4],
    ["a key after such a list", "a = [\n  \"]\",\n  '[',\n]\nb = 1", ["b"], 5],
    ["an item of a list of numbers", "a = [1, 2,\n3]", ["a", 2], 2],
    ["a list of lists", "a = [\n[1],\n[2,\n3]]", ["a", 1, 1], 4],
    ["an inline table", "a = { b = 1, c = { d = 2 } }\ne = 1", ["a", "c", "d"], 1],
    ["a key after an inline table", "a = { b = '}' }\ne = 1", ["e"], 2],
    ["an inline table over several lines", "a = {\n b = 1,\n c = 2,\n}", ["a", "c"], 3],
    ["tables in a list", "a = [\n{ b = 1 },\n{ b = 2 }]", ["a", 1, "b"], 3],
    ["an array of tables", "[[a]]\nb = 1\n[[a]]\nb = 2", ["a", 1, "b"], 4],
    ["a table in an array of tables", "[[a]]\n[[a]]\n[a.b]\nc = 1", ["a", 1, "b", "c"], 4],
    ["arrays of tables in one another", "[[a]]\n[[a.b]]\n[[a.b]]\nc = 1", ["a", 0, "b", 1, "c"], 4],
    ["after a text of several lines", 'a = """\nb = 1\n[c]\n"""\nb = 2', ["b"], 5],
    ["after a literal of several lines", "a = '''\nb = 1\n'''\nb = 2", ["b"], 4],
    ["after a text that ends in quotes", 'a = ["""x""""",\n2]', ["a", 1], 2],
    ["after an escaped quote", 'a = "x\\", b = 1, #"\nb = 2', ["b"], 2],
    ["after a literal with a backslash", "a = 'x\\'\nb = 2", ["b"], 2],
    ["after dates and numbers", "a = 1979-05-27 07:32:00\nb = +1_000.5e3\nc = inf", ["c"], 3],
    ["the first of two", "a = 1\na = 2", ["a"], 1],
    ["an absent key: its table", "x = 1\n[a.b]\nc = 1", ["a", "b", "z"], 2],
    ["an absent key: its list", "x = 1\na = [1]", ["a", 7], 2],
    ["an absent table: the file", "x = 1", ["a", "b"], 1],
    ["the file", "x = 1", [], 1],
  ])("%s", (_name, toml, path, line) => {
    expect(findPositions(toml).lineOf(path)).toBe(line);
  });
});

test("whatever it is given, it neither throws nor hangs", () => {
  const parts = [
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    '"""',
    "'''",
    "=",
    ".",
    ",",
    "\n",
    "\\",
    "#",
    "a",
    " ",
    "\r",
    "💬",
  ];
  let seed = 7;
  const next = () => (seed = (seed * 48271) % 2147483647);
  for (let round = 0; round < 3000; round++) {
    let toml = "";
    for (let i = next() % 30; i >= 0; i--) toml += parts[next() % parts.length];
    expect(findPositions(toml).lineOf(["a"])).toBeGreaterThan(0);
  }
  for (const deep of [
    "[".repeat(100_000),
    "a = " + "[".repeat(100_000),
    "a = " + "{b=".repeat(100_000),
  ]) {
    expect(findPositions(deep).lineOf(["z"])).toBe(1);
  }
});
