import { describe, expect, test } from "bun:test";
import type { proto } from "@whiskeysockets/baileys";
import type { Mappings } from "../../../src/channels/whatsapp-web/identity.ts";
import type { StanzaAttributes } from "../../../src/channels/whatsapp-web/journal.ts";
import { ada, adaLid, direct, group, hello, inAGroup, message, read } from "./stanzas.ts";

describe("who, where, when", () => {
  test("a direct message", () => {
    expect(message(hello)).toEqual({
      id: "M1",
      chat: { kind: "direct" },
      sender: { phone: "+491700000001", userId: null, lid: null, username: null, name: "Ada" },
      type: "text",
      text: "hello",
      timestamp: 1_700_000_000,
      replyTo: null,
      forwarded: false,
      attachments: [],
      fromMe: false,
      mentionsMe: false,
      backlog: false,
    });
  });

  test.each<[string, StanzaAttributes, { phone: string | null; lid: string | null }]>([
    [
      "a device is no part of who",
      { from: "491700000001:12@s.whatsapp.net" },
      { phone: "+491700000001", lid: null },
    ],
    [
      "number with LID beside",
      { from: ada, sender_lid: adaLid },
      { phone: "+491700000001", lid: adaLid },
    ],
    [
      "LID with number beside",
      { from: adaLid, sender_pn: ada },
      { phone: "+491700000001", lid: adaLid },
    ],
    ["LID alone", { from: "900491700000001:3@lid" }, { phone: null, lid: adaLid }],
    [
      "in a group, by LID",
      { from: group, participant: adaLid, participant_pn: ada },
      { phone: "+491700000001", lid: adaLid },
    ],
    [
      "in a group, by number",
      { from: group, participant: ada, participant_lid: adaLid },
      { phone: "+491700000001", lid: adaLid },
    ],
  ])("%s", (_, attributes, sender) => {
    expect(message(hello, { ...direct, ...attributes }).sender).toMatchObject(sender);
  });

  test("what is missing is taken from the known pairs", () => {
    const mappings: Mappings = {
      phoneOfLid: (lid) => (lid === adaLid ? "+491700000001" : null),
      lidOfPhone: (phone) => (phone === "+491700000001" ? adaLid : null),
    };
    for (const from of [ada, adaLid]) {
      expect(message(hello, { ...direct, from }, { mappings }).sender).toMatchObject({
        phone: "+491700000001",
        lid: adaLid,
      });
    }
  });

  test("what says no time is of long ago, and a name of blanks is none", () => {
    const bare = message(hello, { ...direct, t: "?", notify: "  " });
    expect([bare.timestamp, bare.sender.name]).toEqual([0, null]);
  });

  test("a group's message names its group", () => {
    const attributes = { ...direct, from: group, participant: ada };
    expect(message(hello, attributes).chat).toEqual({ kind: "group", id: group });
  });

  test.each<[string, StanzaAttributes, "direct" | "self"]>([
    ["to a contact", { from: "15550001000@s.whatsapp.net", recipient: ada }, "direct"],
    [
      "to oneself",
      { from: "15550001000@s.whatsapp.net", recipient: "15550001000@s.whatsapp.net" },
      "self",
    ],
    [
      "to oneself, by LID",
      { from: "900015550001000@lid", recipient: "900015550001000@lid" },
      "self",
    ],
  ])("what the owner wrote %s is from me", (_, attributes, kind) => {
    const own: proto.IMessage = { deviceSentMessage: { destinationJid: ada, message: hello } };
    const written = message(own, { ...direct, ...attributes });
    expect(written).toMatchObject({ fromMe: true, chat: { kind }, text: "hello" });
    expect(written.sender).toMatchObject({ phone: "+15550001000", lid: "900015550001000@lid" });
  });

  test("is known too of one who goes by a name, in a group and alone", () => {
    const named = (attributes: StanzaAttributes) => message(hello, attributes).sender.username;
    expect(named({ ...direct, peer_recipient_username: "ada" })).toBe("ada");
    expect(named({ ...direct, ...inAGroup, participant_username: "ada" })).toBe("ada");
  });

  test("is read also where the account is not known any more", () => {
    const self = { phone: null, lid: null };
    expect(message(hello, direct, { self })).toMatchObject({
      text: "hello",
      fromMe: false,
      sender: { phone: "+491700000001" },
    });
  });

  test("the backlog is marked, by the stanza or by a replay", () => {
    expect(message(hello, { ...direct, offline: "0" }).backlog).toBe(true);
    expect(message(hello, direct, { replayed: true }).backlog).toBe(true);
  });
});

describe("where the messages disappear", () => {
  const own = { from: "15550001000@s.whatsapp.net" };
  test.each<[string, StanzaAttributes, string | null]>([
    ["with a person, by number", {}, ada],
    ["with a person, by LID alone", { from: adaLid }, adaLid],
    ["with a person by LID whose number stands beside it", { from: adaLid, sender_pn: ada }, ada],
    ["in a group", inAGroup, group],
    ["with oneself", { ...own, recipient: own.from }, own.from],
    ["is not known from what the owner writes to somebody", { ...own, recipient: ada }, null],
  ])("%s", (_, attributes, chat) => {
    const content = { extendedTextMessage: { text: "a", contextInfo: { expiration: 86_400 } } };
    const timer = chat === null ? null : { chat, seconds: 86_400 };
    expect(read(content, { ...direct, ...attributes }).timer).toEqual(timer);
    const setting = { protocolMessage: { type: 3, ephemeralExpiration: 86_400 } };
    expect(read(setting, { ...direct, ...attributes })).toMatchObject({
      timer,
      events: [{ kind: "ignored" }],
    });
  });
});
