import { expect, test } from "bun:test";
import { estimateInstructions } from "../../src/access/pattern-size.ts";

// What stands at the right is as large, and plain to read.
test.each([
  ["[abc]", "a"],
  ["[]]", "a"],
  ["[]]]", "ab"],
  ["[^]]", "a"],
  ["[^]]]", "ab"],
  ["[^a]b", "ab"],
  ["[\\]]", "a"],
  ["[\\]]]", "ab"],
  ["[\\p{Greek}x]b", "ab"],
  ["[[:alpha:]]", "a"],
  ["[[:alpha:]]]", "ab"],
  ["[[:alpha]b", "ab"],
  ["[a[]b", "ab"],
  ["[a:]b", "ab"],
  ["[", "a"],
  ["\\d", "a"],
  ["\\pLb", "ab"],
  ["\\p{Greek}b", "ab"],
  ["\\x7Fb", "ab"],
  ["\\x{1F600}b", "ab"],
  ["\\101b", "ab"],
  ["\\.b", "ab"],
  ["\\Qab\\E", "ab"],
  ["\\Qa*b\\Ec", "abcd"],
  ["\\Qa*", "ab"],
  ["\\Q\\E", ""],
  ["\\Qab\\E{3}", "ab{3}"],
  ["a|b", "abc"],
  ["a{", "ab"],
  ["a{x}", "abcd"],
  ["a*", "abc"],
  ["a+", "abc"],
  ["a?", "abc"],
  ["(a)", "abc"],
  ["(a)(b)", "abcdef"],
  ["((a)", "abc"],
  ["a{0}", "a{1}"],
  ["a{,3}", "abcde"],
  ["a{3}", "a{1,3}"],
  ["a{5,3}", "a{5}"],
  ["a{4,}", "a{4}"],
  ["a{3}b", "ba{3}"],
])("%p is as large as %p", (pattern, plain) => {
  expect(estimateInstructions(pattern)).toBe(estimateInstructions(plain));
});

test("repetitions multiply, and what a group holds counts", () => {
  const size = (pattern: string) => estimateInstructions(pattern) - estimateInstructions("");
  expect(size("abc")).toBe(3);
  expect(size("a{10}")).toBe((1 + 1) * 10 + 2);
  expect(size("(ab){10}")).toBe((4 + 1) * 10 + 2);
  expect(size("((ab){10}){10}")).toBe((52 + 2 + 1) * 10 + 2);
  expect(size("x(a|b)y")).toBe(1 + 5 + 1);
});
