import { describe, expect, test } from "bun:test";
import { RE2JS, RE2JSException } from "re2js";
import { gateCompilerFor } from "../../src/access/gate.ts";
import { compileMentionGate } from "../../src/access/mention-gate.ts";
import { estimateInstructions } from "../../src/access/pattern-size.ts";

const missing = { passes: false, reason: "mention_missing" };
const only = { passes: false, reason: "mention_only" };
const text = (words: string) => ({ passes: true, text: words });

test.each<[name: string, patterns: string[], input: string, answer: object]>([
  ["no pattern: untouched", [], "  hi\n\n there ", text("  hi\n\n there ")],
  ["blank patterns are none", ["", "  "], "hi", text("hi")],
  ["nothing matches", ["@bot"], "hello", missing],
  ["a match is taken out", ["@bot"], "hey @bot what now", text("hey what now")],
  ["every match is", ["@bot"], "@bot a @bot b @bot", text("a b")],
  ["case does not matter", ["@BOT"], "@Bot hi", text("hi")],
  ["nor does it in other alphabets", ["привет"], "ПРИВЕТ, мир", text(", мир")],
  ["several patterns: one is enough", ["@bot", "hey revka"], "Hey Revka, hi", text(", hi")],
  ["several patterns: all are taken out", ["@bot", "revka"], "@bot revka hi", text("hi")],
  ["white space is folded", ["@bot"], "@bot\n  a \t b\n", text("a b")],
  ["nothing but the mention", ["@bot"], " @bot ", only],
  ["no text at all", ["@bot"], "", missing],
  ["an anchor", ["^revka\\b"], "say revka", missing],
  ["a word boundary", ["\\brevka\\b"], "revkas", missing],
  ["an empty match takes nothing out", ["x*"], "hello", text("hello")],
  ["emoji stay whole", ["@bot"], "@bot 👩‍👩‍👧 ok", text("👩‍👩‍👧 ok")],
  ["dots and classes", ["[@#]b.t"], "#bot hi", text("hi")],
  ["a broken pattern does not disturb the other", ["(", "@bot"], "@bot hi", text("hi")],
  ["a closed gate", ["("], "@bot hi", missing],
])("%s", (_name, patterns, input, answer) => {
  expect(compileMentionGate(patterns).apply(input)).toEqual(answer as never);
});

describe("patterns that are rejected", () => {
  test.each<[name: string, pattern: string, why: string]>([
    ["unbalanced", "(a", "missing closing )"],
    ["look-ahead", "(?=a)", "invalid or unsupported Perl syntax"],
    ["look-behind", "(?<=a)b", "invalid"],
    ["back-reference", "(a)\\1", "invalid escape sequence"],
    ["nested repetitions", "(a{1000}){1000}", "64 KiB"],
    ["long repetitions", "(abcdefghij){900}", "64 KiB"],
    ["repetitions in a row", "a{1000}b{1000}", "64 KiB"],
    ["too long", "a".repeat(9000), "longer than 8192 characters"],
    ["long all the same", "ab".repeat(1000), "64 KiB"],
    ["nested beyond reason", `${"(".repeat(4000)}a${")".repeat(4000)}`, ""],
  ])("%s", (_name, pattern, why) => {
    const started = performance.now();
    const gate = compileMentionGate(["@bot", pattern]);
    expect(performance.now() - started).toBeLessThan(500);
    expect(gate.state).toBe("guarded");
    expect(gate.rejected).toHaveLength(1);
    expect(gate.rejected[0]).toMatchObject({ index: 1 });
    expect(gate.rejected[0]?.message).toContain(why);
    expect(gate.rejected[0]?.message).toContain(JSON.stringify(pattern.slice(0, 5)).slice(1, -1));
    expect(gate.rejected[0]?.message.length).toBeLessThan(300);
  });

  test.each([
    ["(a", '"(a"', "missing closing )"],
    [`(${"a".repeat(59)}`, `"(${"a".repeat(59)}"`, "missing closing )"],
    [`(${"a".repeat(60)}`, `"(${"a".repeat(59)}…"`, "missing closing )"],
    [`[${"a".repeat(1000)}`, `"[${"a".repeat(59)}…"`, "missing closing ]"],
    ["hey [z-a]", '"hey [z-a]"', 'invalid character class range: "z-a"'],
    ["a\n(", '"a\\n("', "missing closing )"],
  ])("%j is named, cut short where it is long, with what is wrong of it", (pattern, named, why) => {
    expect(compileMentionGate([pattern]).rejected).toEqual([
      { index: 0, message: `pattern ${named} is ignored: ${why}` },
    ]);
  });

  test("a gate is open, guarded or closed", () => {
    expect(compileMentionGate([]).state).toBe("open");
    expect(compileMentionGate(["a", "("]).state).toBe("guarded");
    expect(compileMentionGate(["(", "[", ""]).state).toBe("closed");
  });

  test("the longest pattern, to the letter", () => {
    const longest = `[${"a".repeat(8190)}]`;
    expect(compileMentionGate([longest]).state).toBe("guarded");
    expect(compileMentionGate([`${longest}a`]).state).toBe("closed");
  });

  test.each([
    "@?revka\\b",
    "\\p{L}+",
    "[a-z]{1000}",
    "(?:hey|ok|hi)[, ]+(?:revka|bot)",
    "\\w{1000}",
  ])("%p is within the limit", (pattern) =>
    expect(compileMentionGate([pattern]).state).toBe("guarded"),
  );
});

describe("time", () => {
  const timed = (pattern: string, input: string): number => {
    const gate = compileMentionGate([pattern]);
    expect(gate.state).toBe("guarded");
    gate.apply(input.slice(0, 100));
    const started = performance.now();
    gate.apply(input);
    return performance.now() - started;
  };

  test.each(["(a+)+$", "(a|aa)+$", "(.*)*b", "(a?){25}a{25}b", "([a-z]+)*!x"])(
    "%p is linear in the text",
    (pattern) => {
      // A backtracking engine needs more than the age of the universe for these.
      expect(timed(pattern, `${"a".repeat(100_000)}?`)).toBeLessThan(3000);
    },
  );

  test.each(["[\\s\\S]*x|[\\s\\S]", ".*[^A-Za-z]|[A-Za-z]"])(
    "%p, which looks ahead before each of many matches, is bounded",
    (pattern) => {
      expect(timed(pattern, "A".repeat(65_536))).toBeLessThan(3000);
    },
  );
});

test("the estimate is never below what the pattern compiles to", () => {
  const parts = [
    ..."ab.^$|()*+?",
    ...[
      "\\d",
      "\\b",
      "[a-z]",
      "[^]x]",
      "[[:alpha:]]",
      "\\pL",
      "\\p{Greek}",
      "\\x{1F600}",
      "\\Qa*b\\E",
      "(?:",
      "(?i:",
    ],
    ...["{3}", "{2,5}", "{4,}", "{0,3}", "{", "*?", "??", "k", "ß", "\\101", "\\]", "💬"],
  ];
  let seed = 11;
  const next = () => (seed = (seed * 48271) % 2147483647);
  let compiled = 0;
  for (let round = 0; round < 6000; round++) {
    let pattern = "";
    for (let i = next() % 10; i >= 0; i--) pattern += parts[next() % parts.length];
    try {
      const size = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE).programSize();
      compiled++;
      expect([pattern, estimateInstructions(pattern) >= size]).toEqual([pattern, true]);
    } catch (error) {
      if (!(error instanceof RE2JSException)) throw error;
    }
  }
  expect(compiled).toBeGreaterThan(1000);
});

test.each([
  ["direct", { dm_mention_patterns: ["@bot"], group_mention_patterns: [] }],
  ["group", { dm_mention_patterns: [" "], group_mention_patterns: ["@bot"] }],
])("a pattern for %s chats is enough to have gates", async (_kind, config) => {
  const compileGate = await gateCompilerFor(config);
  expect(compileGate(["@bot"]).state).toBe("guarded");
  expect(compileGate([]).state).toBe("open");
});

test("without a pattern every gate is open", async () => {
  for (const config of [undefined, { dm_mention_patterns: [" "], group_mention_patterns: [] }]) {
    expect((await gateCompilerFor(config))([" "]).state).toBe("open");
  }
});
