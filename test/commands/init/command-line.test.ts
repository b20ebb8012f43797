import { expect, test } from "bun:test";
import { commandWords } from "../../../src/commands/init/command-line.ts";

test.each([
  ["/usr/bin/agent --fast", ["/usr/bin/agent", "--fast"]],
  ["  node   agent.mjs ", ["node", "agent.mjs"]],
  ["/bin/sh '/srv/my agent/run.sh'", ["/bin/sh", "/srv/my agent/run.sh"]],
  ['agent --name="Ada L." -x', ["agent", "--name=Ada L.", "-x"]],
  ["agent a\\ b", ["agent", "a b"]],
  ["agent '' x", ["agent", "", "x"]],
  ["agent 'C:\\x'", ["agent", "C:\\x"]],
  ["agent $HOME *", ["agent", "$HOME", "*"]],
  ["", []],
  ["agent 'open", null],
])("%p", (line, words) => {
  expect(commandWords(line)).toEqual(words);
});
