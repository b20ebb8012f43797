import { describe, expect, test } from "bun:test";
import { countAnswers, summary } from "../../../src/commands/demo/figures.ts";

describe("answers", () => {
  const hi = ["hi"];
  const long = ["hi", "and more"];
  test.each<[string, string[][], string[], number, boolean]>([
    ["to nothing are none", [], [], 0, true],
    ["come once each", [hi, ["you"]], ["hi", "you"], 2, true],
    ["may come in several texts", [long, ["you"]], ["hi", "and more", "you"], 2, true],
    ["may begin like another", [hi, long, hi], ["hi", "hi", "and more", "hi"], 3, true],
    ["to the same words are one each", [hi, hi], ["hi", "hi"], 2, true],
    ["may be lost", [hi, ["you"]], ["you"], 1, false],
    ["may come twice", [hi, ["you"]], ["hi", "hi", "you"], 3, false],
    ["may come twice, in several texts", [long], [...long, ...long], 2, false],
    ["may come twice, late", [hi, ["you"]], ["hi", "you", "hi"], 3, false],
    ["may be cut off", [long], ["hi"], 1, false],
    ["may be what nobody should say", [hi], ["hi", "ho"], 2, false],
    ["may stand in another's place", [hi, ["you"]], ["hi", "hi"], 2, false],
  ])("%s", (_, expected, received, answers, right) => {
    expect(countAnswers(expected, received)).toEqual({
      messages: expected.length,
      answers,
      right,
    });
  });
});

test.each<[number, number, number, boolean, string]>([
  [3, 2, 2, true, "3 webhooks, 2 messages, 2 answers: nothing lost, nothing answered twice."],
  [1, 1, 1, true, "1 webhook, 1 message, 1 answer: nothing lost, nothing answered twice."],
  [2, 2, 3, false, "2 webhooks, 2 messages, 3 answers: that is not one answer a message!"],
  [1, 1, 0, false, "1 webhook, 1 message, 0 answers: that is not one answer a message!"],
])("%i, %i and %i are told as such", (webhooks, messages, answers, right, said) => {
  expect(summary({ webhooks, messages, answers, right })).toBe(said);
});
