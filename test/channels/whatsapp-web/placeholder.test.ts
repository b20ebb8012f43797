import { describe, expect, test } from "bun:test";
import type { BinaryNode } from "@whiskeysockets/baileys";
import {
  messageKeyOf,
  partOf,
  placeholderOf,
} from "../../../src/channels/whatsapp-web/placeholder.ts";
import { ada, adaLid, around, direct, group, inAGroup } from "./stanzas.ts";

const node = (
  content: BinaryNode[] | undefined,
  more: Record<string, string> = {},
): BinaryNode => ({
  tag: "message",
  attrs: { ...direct, ...more },
  ...(content === undefined ? {} : { content }),
});
const unavailable = (type?: string): BinaryNode => ({
  tag: "unavailable",
  attrs: type === undefined ? {} : { type },
});
const enc = (type: string): BinaryNode => ({
  tag: "enc",
  attrs: { type, v: "2" },
  content: Buffer.from("x"),
});

test.each<[string, BinaryNode]>([
  ["whose content WhatsApp withholds", node([unavailable()])],
  ["for a reason unknown here", node([unavailable("some_reason")])],
  ["without anything", node(undefined)],
  ["with only its surroundings", node([{ tag: "reporting", attrs: {} }])],
])("a message %s is asked for, and counts as backlog", (_, stanza) => {
  expect(placeholderOf(stanza, around.self)).toEqual({ ...direct, offline: "0" });
});

test.each<[string, Record<string, string>]>([
  ["by LID", { from: adaLid }],
  ["of a group", inAGroup],
])("one %s is asked for too", (_, more) => {
  const attributes = { ...direct, ...more };
  expect(placeholderOf(node([unavailable()], more), around.self)).toEqual({
    ...attributes,
    offline: "0",
  });
});

test("each is known by its chat, its writer and its id, and comes again under the same name", () => {
  const one = { ...direct, ...inAGroup };
  const others = [{ id: "M2" }, { participant: adaLid }, { from: "1@g.us" }];
  const names = [one, ...others.map((more) => ({ ...one, ...more }))].map(partOf);
  expect(new Set(names).size).toBe(4);
  expect(partOf({ ...one, t: "9", offline: "3" })).toBe(partOf(one));
});

test.each<[string, BinaryNode]>([
  ["what can be decrypted", node([enc("msg")])],
  ["what is for a bot", node([enc("msmsg")])],
  ["what comes in the clear", node([{ tag: "plaintext", attrs: {}, content: Buffer.from("x") }])],
  ...["bot", "hosted", "view_once"].map((kind): [string, BinaryNode] => [
    `what the phone does not send (${kind})`,
    node([unavailable(`${kind}_unavailable_fanout`)]),
  ]),
  ["what may be seen once", node([unavailable("view_once")])],
  ["a status", node([unavailable()], { from: "status@broadcast", participant: ada })],
  ["a newsletter's", node([unavailable()], { from: "1203@newsletter" })],
  ["talk among own devices", node([unavailable()], { category: "peer" })],
  ["a broadcast list's", node([unavailable()], { from: "1700@broadcast", participant: ada })],
  ["one who pretends to be us", node([unavailable()], { recipient: ada })],
  [
    "what the owner writes to Meta's own AI",
    node([unavailable()], { from: "15550001000@s.whatsapp.net", recipient: "13135550002@bot" }),
  ],
  ["one of an unknown chat", node([unavailable()], { from: "1@bot" })],
  ["a stanza from nowhere", node([unavailable()], { from: "" })],
  ["a stanza without an id", node([unavailable()], { id: "" })],
])("%s is not", (_, stanza) => {
  expect(placeholderOf(stanza, around.self)).toBeNull();
});

describe("the phone knows a message by chat, writer and id:", () => {
  const own = "15550001000:3@s.whatsapp.net";
  test.each<[string, Record<string, string>, object]>([
    ["a contact's", {}, { remoteJid: ada, fromMe: false, participant: null }],
    [
      "one of a contact's other device",
      { from: ada.replace("@", ":2@") },
      { remoteJid: ada, fromMe: false, participant: null },
    ],
    [
      "one of such a device in a group",
      { ...inAGroup, participant: ada.replace("@", ":2@") },
      { remoteJid: group, fromMe: false, participant: ada },
    ],
    ["one of a group", inAGroup, { remoteJid: group, fromMe: false, participant: ada }],
    ["by LID", { from: adaLid }, { remoteJid: adaLid, fromMe: false, participant: null }],
    [
      "the owner's",
      { from: own, recipient: ada },
      { remoteJid: ada, fromMe: true, participant: null },
    ],
    [
      "the owner's, by LID",
      { from: "900015550001000:3@lid", recipient: adaLid },
      { remoteJid: adaLid, fromMe: true, participant: null },
    ],
  ])("%s", (_, more, key) => {
    expect(messageKeyOf({ ...direct, ...more }, around.self)).toEqual({ id: "M1", ...key });
  });
});
