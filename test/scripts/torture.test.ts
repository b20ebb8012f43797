import { describe, expect, test } from "bun:test";
import {
  judge,
  type AcceptedSend,
  type Verdict,
  type WrittenMessage,
} from "../../scripts/torture/ledger.ts";
import { planRound, scenarios } from "../../scripts/torture/plan.ts";
import { seededRandom } from "../../src/simulator/graph/random.ts";

/** Three messages of one chat: b was posted after a was acknowledged, c came with b in one body. */
const written: WrittenMessage[] = [
  { id: "a", text: "1", chat: "1555", postedAt: 0, acknowledgedAt: 5, place: 0, webhook: 0 },
  { id: "b", text: "2", chat: "1555", postedAt: 6, acknowledgedAt: 9, place: 0, webhook: 1 },
  { id: "c", text: "3", chat: "1555", postedAt: 6, acknowledgedAt: 9, place: 1, webhook: 1 },
];
const stored = new Map([["1555", ["a", "b", "c"]]]);
const send = (text: string, deliveryId = `d${text}`, chat = "1555"): AcceptedSend => ({
  chat,
  text,
  deliveryId,
});
const fine: Verdict = {
  messages: 3,
  acknowledged: 3,
  lost: [],
  answeredTwice: [],
  outOfOrder: [],
  againstStoredOrder: [],
  doubled: [],
  foreign: 0,
};

describe("the verdict sees", () => {
  const cases: [string, AcceptedSend[], Partial<Verdict>][] = [
    ["nothing where all is well", [send("1"), send("2"), send("3")], {}],
    ["a lost message", [send("1"), send("3")], { lost: ["b"] }],
    [
      "a second answer",
      [send("1"), send("2"), send("3"), send("2", "again")],
      { answeredTwice: ["b"] },
    ],
    ["a doubled send", [send("1"), send("2"), send("2"), send("3")], { doubled: ["d2"] }],
    [
      "replies in the wrong order",
      [send("2"), send("1"), send("3")],
      { outOfOrder: ["b"], againstStoredOrder: ["b"] },
    ],
    [
      "the wrong order within a body",
      [send("1"), send("3"), send("2")],
      { outOfOrder: ["c"], againstStoredOrder: ["c"] },
    ],
    [
      "an answer in another chat",
      [send("1"), send("2"), send("3"), send("1", "x", "1666")],
      { foreign: 1 },
    ],
  ];
  test.each(cases)("%s", (_, sends, seen) => {
    const verdict = judge(written, sends, stored);
    expect(verdict).toEqual({ ...fine, ...seen });
  });

  test("no order between messages that came at the same time", () => {
    const together = written.map((message, webhook) => ({ ...message, webhook, postedAt: 0 }));
    const verdict = judge(together, [send("3"), send("2"), send("1")], new Map());
    expect(verdict.outOfOrder).toEqual([]);
  });
});

test("a seed gives the same rounds again, another one others", () => {
  for (const scenario of scenarios) {
    const plans = [1, 1, 2].map((seed) => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => planRound(scenario, 40, random));
    });
    expect(plans[0]).toEqual(plans[1]);
    expect(plans[0]).not.toEqual(plans[2]);
  }
});
