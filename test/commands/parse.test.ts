import { expect, test } from "bun:test";
import { UsageError } from "../../src/commands/command.ts";
import { globalOptions, parseWords } from "../../src/commands/parse.ts";

const known = {
  ...globalOptions,
  json: { description: "" },
  port: { value: "P", description: "" },
};

/** A text behind `--` sends any words the longer way. */
function split(words: string[], longer: boolean): unknown {
  try {
    const { options, positionals } = parseWords(known, longer ? [...words, "--"] : words);
    return { options: { ...options }, positionals };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message;
  }
}

test.each<[string[], unknown]>([
  [[], { options: {}, positionals: [] }],
  [["--config", "a.toml"], { options: { config: "a.toml" }, positionals: [] }],
  [["--config", "a b"], { options: { config: "a b" }, positionals: [] }],
  [["--config", "a", "--port", "1"], { options: { config: "a", port: "1" }, positionals: [] }],
  [["--config", "a", "--config", "b"], { options: { config: "b" }, positionals: [] }],
  [["--config", "a", "--json"], { options: { config: "a", json: true }, positionals: [] }],
  [["--config", "a", "word"], { options: { config: "a" }, positionals: ["word"] }],
  [["--config=a"], { options: { config: "a" }, positionals: [] }],
  [["--config", "-"], { options: { config: "-" }, positionals: [] }],
  [["--config", "-a"], { options: { config: "-a" }, positionals: [] }],
  [["--json", "word"], { options: { json: true }, positionals: ["word"] }],
  [["--config", ""], "--config needs a value: --config FILE"],
  [["--config", "--json"], "--config needs a value: --config FILE"],
  [["--config", "a", "--port"], "--port needs a value: --port P"],
  [["--conifg", "a"], "unknown option --conifg; did you mean --config?"],
  [["--toString", "a"], "unknown option --toString"],
  [["--constructor", "a"], "unknown option --constructor"],
])("%j, the short way and the longer one", (words, expected) => {
  expect(split(words, false)).toEqual(expected);
  expect(split(words, true)).toEqual(expected);
});
