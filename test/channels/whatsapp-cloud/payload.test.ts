import { describe, expect, test } from "bun:test";
import type { Message } from "../../../src/channels/message.ts";
import { messagesBody, now, onlyMessage, parse, sender, textItem } from "./bodies.ts";

test("a text message, whole", () => {
  expect(parse(messagesBody([textItem("Hi there")]))).toEqual([
    {
      kind: "message",
      message: {
        id: "wamid.A",
        chat: { kind: "direct" },
        sender,
        type: "text",
        text: "Hi there",
        timestamp: 1749416383,
        replyTo: null,
        forwarded: false,
        attachments: [],
        fromMe: false,
        mentionsMe: false,
        backlog: false,
      },
    },
  ]);
});

describe("context", () => {
  const rows: [string, Record<string, unknown>, Partial<Message>][] = [
    [
      "a reply",
      { context: { from: "15550783881", id: "wamid.Q" } },
      { replyTo: "wamid.Q", mentionsMe: true, fromMe: false, forwarded: false },
    ],
    [
      "a reply to oneself",
      { context: { from: "16505551234", id: "wamid.Q" } },
      { replyTo: "wamid.Q", mentionsMe: false, fromMe: false },
    ],
    ["forwarded", { context: { forwarded: true } }, { forwarded: true, replyTo: null }],
    ["forwarded often", { context: { frequently_forwarded: true } }, { forwarded: true }],
    ["a broken context", { context: "?" }, { replyTo: null, forwarded: false, text: "Hi" }],
    ["a group", { group_id: "group-1" }, { chat: { kind: "group", id: "group-1" } }],
    ["a referral", { referral: { source_url: "https://fb.me/x", headline: "Ad" } }, { text: "Hi" }],
    ["written by the business itself", { from: "15550783881" }, { fromMe: true }],
  ];
  test.each(rows)("%s", (_name, item, expected) => {
    expect(onlyMessage(messagesBody([textItem("Hi", item)]))).toMatchObject(expected as never);
  });

  test("where the own number is not told, nobody is taken for oneself", () => {
    const unnamed = textItem("Hi", { from: undefined, from_user_id: "US.1", context: { id: "Q" } });
    const body = messagesBody([unnamed], { contacts: [], metadata: undefined });
    expect(onlyMessage(body)).toMatchObject({ fromMe: false, mentionsMe: false } as never);
  });

  test.each([
    ["1749416383", 1749416383],
    [1749416383, 1749416383],
    ["1749416383.9", 1749416383],
    ["not_a_number", now / 1000],
    [true, now / 1000],
    [undefined, now / 1000],
    ["", now / 1000],
    [-5, now / 1000],
    ["1749416383000", now / 1000],
    [{}, now / 1000],
  ])("timestamp %p", (timestamp, expected) => {
    expect(onlyMessage(messagesBody([textItem("Hi", { timestamp })])).timestamp).toBe(expected);
  });
});
