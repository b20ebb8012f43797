import { describe, expect, test } from "bun:test";
import { encodeWAMessage, proto } from "@whiskeysockets/baileys";
import type { Mappings } from "../../../src/channels/whatsapp-web/identity.ts";
import type { StanzaAttributes } from "../../../src/channels/whatsapp-web/journal.ts";
import { type Surroundings, translate } from "../../../src/channels/whatsapp-web/payload.ts";

const none: Mappings = { phoneOfLid: () => null, lidOfPhone: () => null };
const around: Surroundings = {
  self: { phone: "+15550001000", lid: "900015550001000@lid" },
  mappings: none,
  isOurs: () => false,
  attributesOf: () => undefined,
  replayed: false,
};
const ada = "491700000001@s.whatsapp.net";
const adaLid = "900491700000001@lid";
const group = "120363000000000001@g.us";
const inAGroup: StanzaAttributes = { from: group, participant: ada };
const { HD_IMAGE_DUAL_UPLOAD, MEDIA_ALBUM } = proto.MessageAssociation.AssociationType;
const direct: StanzaAttributes = { id: "M1", from: ada, t: "1700000000", notify: "Ada" };

function read(
  message: proto.IMessage | proto.IMessage[],
  attributes: StanzaAttributes = direct,
  more: Partial<Surroundings> = {},
) {
  const messages = Array.isArray(message) ? message : [message];
  const plaintexts = messages.map((one) => encodeWAMessage(one));
  return translate({ attributes, plaintexts }, { ...around, ...more });
}

function message(...values: Parameters<typeof read>) {
  const [event] = read(...values).events;
  if (event?.kind !== "message") throw new Error(`not a message: ${JSON.stringify(event)}`);
  return event.message;
}

function reason(...values: Parameters<typeof read>) {
  const [event] = read(...values).events;
  return event?.kind === "ignored" ? event.reason : event?.kind;
}

const hello: proto.IMessage = { conversation: "hello" };
const key = { id: "T1", remoteJid: ada, fromMe: true };

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
    expect(written.sender.phone).toBe("+15550001000");
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

describe("what is not acted upon", () => {
  test.each<[string, string, proto.IMessage, StanzaAttributes]>([
    ["a status", "status_broadcast", hello, { from: "status@broadcast", participant: ada }],
    ["a broadcast list", "broadcast", hello, { from: "1700@broadcast", participant: ada }],
    ["a newsletter", "newsletter", hello, { from: "1203@newsletter" }],
    [
      "talk among own devices",
      "protocol",
      hello,
      { from: "15550001000@s.whatsapp.net", category: "peer" },
    ],
    ["a key share", "protocol", { protocolMessage: { type: 6 } }, {}],
    ["a sender key alone", "empty", { senderKeyDistributionMessage: { groupId: group } }, {}],
    ["a vote", "poll_vote", { pollUpdateMessage: {} }, {}],
    ["a pin", "pin", { pinInChatMessage: {} }, {}],
    ["an album's cover", "album", { albumMessage: { expectedImageCount: 2 } }, {}],
    [
      "the better copy of an image that came already",
      "media_copy",
      {
        associatedChildMessage: { message: { imageMessage: { caption: "look" } } },
        messageContextInfo: { messageAssociation: { associationType: HD_IMAGE_DUAL_UPLOAD } },
      },
      {},
    ],
    [
      "a status of a group",
      "status",
      { groupStatusMessageV2: { message: hello } },
      { ...inAGroup },
    ],
    ["a mention in a status", "status", { statusMentionMessage: { message: {} } }, {}],
    ["nothing", "empty", {}, {}],
    ["a stanza from nowhere", "malformed", hello, { from: "" }],
    ["one who pretends to be us", "malformed", hello, { from: ada, recipient: ada }],
  ])("%s", (_, expected, content, attributes) => {
    expect(reason(content, { ...direct, ...attributes })).toBe(expected);
  });

  test("our own message, shown by another device, is an echo", () => {
    expect(reason(hello, direct, { isOurs: (id) => id === "M1" })).toBe("own_echo");
  });

  test("bytes that are no message are unreadable", () => {
    const stanza = { attributes: direct, plaintexts: [Uint8Array.of(255, 255, 255, 1)] };
    expect(translate(stanza, around).events).toEqual([{ kind: "ignored", reason: "unreadable" }]);
  });

  test("what another person wrote is not edited or revoked, by number or LID", () => {
    const edit = { protocolMessage: { key, type: 14, editedMessage: hello } };
    const revoke = { protocolMessage: { key, type: 0 } };
    const inGroup = (participant: string) => ({ ...direct, from: group, participant });
    const bob = "447700900002@s.whatsapp.net";
    const written = (attributes: StanzaAttributes) => ({ attributesOf: () => attributes });
    expect(reason(edit, inGroup(bob), written(inGroup(ada)))).toBe("foreign_edit");
    expect(reason(revoke, inGroup(bob), written(inGroup(adaLid)))).toBe("foreign_revoke");
    expect(reason(edit, inGroup(ada), written(inGroup(ada)))).toBe("edit");
    expect(reason(revoke, inGroup(adaLid), written({ ...direct, sender_lid: adaLid }))).toBe(
      "revoke",
    );
    const mappings = { ...none, phoneOfLid: () => "+491700000001" };
    expect(reason(edit, inGroup(adaLid), { mappings, ...written(direct) })).toBe("edit");
  });

  test("the owner's own reactions and edits are nobody's event", () => {
    const own = { ...direct, from: "15550001000@s.whatsapp.net", recipient: ada };
    expect(reason({ reactionMessage: { key, text: "👍" } }, own)).toBe("own_reaction");
  });
});

describe("events without a message", () => {
  test.each<[string, proto.IMessage, object]>([
    [
      "a reaction",
      { reactionMessage: { key, text: "👍" } },
      { kind: "reaction", targetId: "T1", emoji: "👍" },
    ],
    [
      "a reaction taken back",
      { reactionMessage: { key, text: "" } },
      { kind: "reaction", emoji: null },
    ],
    [
      "an edit",
      { protocolMessage: { key, type: 14, editedMessage: hello } },
      { kind: "edit", targetId: "T1", text: "hello" },
    ],
    [
      "an edit in its wrapping",
      { editedMessage: { message: { protocolMessage: { key, type: 14, editedMessage: hello } } } },
      { kind: "edit", targetId: "T1", text: "hello" },
    ],
    ["a revoke", { protocolMessage: { key, type: 0 } }, { kind: "revoke", targetId: "T1" }],
  ])("%s", (_, content, event) => {
    expect(read(content).events).toMatchObject([{ ...event, sender: { phone: "+491700000001" } }]);
  });
});

describe("types and texts", () => {
  const file = {
    url: "https://mmg.whatsapp.net/f",
    directPath: "/f",
    mediaKey: Buffer.alloc(32, 1),
    fileLength: 7,
    mimetype: "a/b",
  };

  test.each<[string, string, string, proto.IMessage]>([
    ["text", "text", "hello", { extendedTextMessage: { text: "hello" } }],
    ["a disappearing text", "text", "hello", { ephemeralMessage: { message: hello } }],
    ["an image", "image", "look", { imageMessage: { ...file, caption: "look" } }],
    ["an image seen once", "image", "", { viewOnceMessageV2: { message: { imageMessage: file } } }],
    ["a video", "video", "", { videoMessage: file }],
    ["a round video", "video", "", { ptvMessage: file }],
    ["a voice note", "voice", "", { audioMessage: { ...file, ptt: true } }],
    ["music", "audio", "", { audioMessage: file }],
    [
      "a document",
      "document",
      "offer.pdf",
      { documentMessage: { ...file, fileName: "offer.pdf" } },
    ],
    [
      "a document with a caption",
      "document",
      "please sign",
      {
        documentWithCaptionMessage: {
          message: { documentMessage: { ...file, fileName: "o.pdf", caption: "please sign" } },
        },
      },
    ],
    ["a sticker", "sticker", "", { stickerMessage: file }],
    [
      "a sticker that moves",
      "sticker",
      "",
      { lottieStickerMessage: { message: { stickerMessage: file } } },
    ],
    ["a text that names a group", "text", "hello", { groupMentionedMessage: { message: hello } }],
    ["a text to a bot", "text", "hello", { botInvokeMessage: { message: hello } }],
    [
      "an image of an album",
      "image",
      "look",
      {
        associatedChildMessage: { message: { imageMessage: { ...file, caption: "look" } } },
        messageContextInfo: { messageAssociation: { associationType: MEDIA_ALBUM } },
      },
    ],
    [
      "a poll in its wrapping",
      "poll",
      "Poll, When?",
      { pollCreationMessageV4: { message: { pollCreationMessage: { name: "When?" } } } },
    ],
    [
      "a poll of the fifth version",
      "poll",
      "Poll, When?",
      { pollCreationMessageV5: { name: "When?" } },
    ],
    [
      "a place",
      "location",
      "Location 52.5, 13.4, Café",
      { locationMessage: { degreesLatitude: 52.5, degreesLongitude: 13.4, name: "Café" } },
    ],
    [
      "a visiting card",
      "contacts",
      "Bob, +44 7700",
      {
        contactMessage: {
          displayName: "Bob",
          vcard: "BEGIN:VCARD\nTEL;type=CELL:+44 7700\nEND:VCARD",
        },
      },
    ],
    [
      "a button",
      "button",
      "Yes",
      { buttonsResponseMessage: { selectedDisplayText: "Yes", selectedButtonId: "y" } },
    ],
    [
      "a template's button",
      "button",
      "Yes",
      { templateButtonReplyMessage: { selectedDisplayText: "Yes" } },
    ],
    ["a list", "interactive", "Red", { listResponseMessage: { title: "Red" } }],
    [
      "an order",
      "order",
      "Order, Shoes, 2 items",
      { orderMessage: { orderTitle: "Shoes", itemCount: 2 } },
    ],
    [
      "a poll",
      "poll",
      "Poll, When?, Mon / Tue",
      {
        pollCreationMessageV3: {
          name: "When?",
          options: [{ optionName: "Mon" }, { optionName: "Tue" }],
        },
      },
    ],
    [
      "something new",
      "payment_invite",
      '[a message of the type "payment_invite", which cannot be shown as text]',
      { paymentInviteMessage: { serviceType: 1 } },
    ],
  ])("%s", (_, type, text, content) => {
    const { type: foundType, text: foundText } = message(content);
    expect({ type: foundType, text: foundText }).toEqual({ type, text });
  });

  test("a file says what is needed to fetch it, and its size is a number", () => {
    const [attachment] = message({
      imageMessage: { ...file, fileEncSha256: Buffer.alloc(32, 2) },
    }).attachments;
    expect(attachment).toMatchObject({
      kind: "image",
      mimeType: "a/b",
      size: 7,
      source: { directPath: "/f", mediaKey: Buffer.alloc(32, 1).toString("base64") },
    });
    expect(JSON.parse(JSON.stringify(attachment))).toEqual(attachment);
  });

  test.each<[string, proto.IContextInfo, object]>([
    ["a quotation", { stanzaId: "Q1", participant: ada }, { replyTo: "Q1", mentionsMe: false }],
    [
      "a reply to us",
      { stanzaId: "Q1", participant: "15550001000@s.whatsapp.net" },
      { replyTo: "Q1", mentionsMe: true },
    ],
    ["a mention of our LID", { mentionedJid: ["900015550001000@lid"] }, { mentionsMe: true }],
    ["a mention of another", { mentionedJid: [adaLid] }, { mentionsMe: false }],
    ["forwarded", { isForwarded: true }, { forwarded: true }],
  ])("%s", (_, contextInfo, expected) => {
    expect(message({ extendedTextMessage: { text: "x", contextInfo } })).toMatchObject(expected);
  });

  test("a group's first message: its sender key and its text are one", () => {
    const attributes = { ...direct, from: group, participant: ada };
    const parts = [{ senderKeyDistributionMessage: { groupId: group } }, hello];
    expect(message(parts, attributes).text).toBe("hello");
    expect(read(parts, attributes).carriesSenderKey).toBe(true);
  });

  test("what is kept for quotations is the text, or the type", () => {
    expect(read(hello).preview).toBe("hello");
    expect(read({ stickerMessage: file }).preview).toBe("[sticker]");
  });
});
