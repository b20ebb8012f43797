import { expect, test } from "bun:test";
import { compare, groups } from "../../scripts/payloads/expect.ts";
import type { TurnMessage } from "../../src/agent/agent.ts";
import type { PayloadRow } from "../e2e/support/payloads.ts";

function row(changes: Partial<PayloadRow> = {}): PayloadRow {
  return {
    path: "a.json",
    api: "meta",
    class: "core",
    raw: 1,
    count: 1,
    senders: ["15550001111"],
    texts: ["hello"],
    phoneNumberIds: ["1"],
    groupIds: [],
    replyTo: [],
    notes: "",
    body: Buffer.from('{"messages":[{"id":"wamid.1"}]}'),
    ...changes,
  };
}

function seen(changes: Partial<TurnMessage> = {}): TurnMessage {
  return {
    id: "wamid.1",
    type: "text",
    text: "hello",
    timestamp: 1,
    sender: { phone: "+15550001111", user_id: "US.1", lid: null, username: null, name: null },
    reply_to: null,
    forwarded: false,
    attachments: [],
    ...changes,
  };
}

test("what is as the index says has no deviation", () => {
  expect(compare(row(), [seen()], [""])).toEqual([]);
  expect(compare(row({ texts: [null] }), [seen({ text: "Location: 1, 2" })], [""])).toEqual([]);
  expect(compare(row({ senders: ["US.1"] }), [seen()], [""])).toEqual([]);
  expect(
    compare(row({ groupIds: ["G"], replyTo: ["w"] }), [seen({ reply_to: "w" })], ["G"]),
  ).toEqual([]);
  const order = seen({ type: "order", text: "Order of 2 items: hello" });
  expect(compare(row(), [order], [""])).toEqual([]);
});

const wrong: [string, PayloadRow, TurnMessage[], string[], RegExp][] = [
  ["a missing message", row(), [], [], /0 messages instead of 1/],
  ["one too many", row(), [seen(), seen()], ["", ""], /2 messages instead of 1/],
  [
    "another text",
    row(),
    [seen({ text: "hell" })],
    [""],
    /none from 15550001111 that says "hello"/,
  ],
  ["another sender", row({ senders: ["1999"] }), [seen()], [""], /none from 1999/],
  ["a lost quote", row({ replyTo: ["w"] }), [seen()], [""], /instead of w/],
  ["a lost group", row({ groupIds: ["G"] }), [seen()], [""], /instead of G/],
];
for (const [name, expected, messages, chats, says] of wrong) {
  test(`${name} is a deviation`, () => {
    expect(compare(expected, messages, chats).join("\n")).toMatch(says);
  });
}

test("rows with a message id, a number or a platform of their own get a daemon of their own", () => {
  const other = (id: string) => Buffer.from(`{"messages":[{"id":"${id}"}]}`);
  const made = groups([
    row(),
    row({ body: other("wamid.2"), senders: ["15550002222"] }),
    row(),
    row({ phoneNumberIds: ["2"] }),
    row({ api: "wati" }),
    row({ senders: ["PHONE_NUMBER"] }),
  ]);
  expect(made.map((group) => group.rows.length)).toEqual([2, 1, 1, 1, 1]);
  expect(made[0]?.allowed).toEqual(["15550001111", "15550002222"]);
  expect(made[4]?.allowed).toEqual(["*"]);
});
