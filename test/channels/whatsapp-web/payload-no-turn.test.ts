import { describe, expect, test } from "bun:test";
import { proto } from "@whiskeysockets/baileys";
import type { StanzaAttributes } from "../../../src/channels/whatsapp-web/journal.ts";
import { translate } from "../../../src/channels/whatsapp-web/payload.ts";
import {
  ada,
  adaLid,
  around,
  direct,
  group,
  hello,
  inAGroup,
  key,
  none,
  read,
  reason,
} from "./stanzas.ts";

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
    [
      "what the owner writes to a bot of WhatsApp's",
      "unknown_chat",
      hello,
      { from: "15550001000@s.whatsapp.net", recipient: "867051314767696@bot" },
    ],
    ["a timer set", "protocol", { protocolMessage: { key, type: 3, ephemeralExpiration: 1 } }, {}],
    ["a revoke of nothing", "protocol", { protocolMessage: { type: 0 } }, {}],
    ["an edit of nothing", "protocol", { protocolMessage: { type: 14, editedMessage: hello } }, {}],
    ["a reaction to nothing", "reaction_without_target", { reactionMessage: { text: "👍" } }, {}],
    ["a key share", "protocol", { protocolMessage: { type: 6 } }, {}],
    ["a sender key alone", "empty", { senderKeyDistributionMessage: { groupId: group } }, {}],
    ["what stands around a message alone", "empty", { messageContextInfo: {} }, {}],
    ["what an own device sent of nothing", "empty", { deviceSentMessage: { message: {} } }, {}],
    ["a vote", "poll_vote", { messageContextInfo: {}, pollUpdateMessage: {} }, {}],
    ["a pin", "pin", { pinInChatMessage: {} }, {}],
    ["an album's cover", "album", { albumMessage: { expectedImageCount: 2 } }, {}],
    [
      "a status of a group",
      "status",
      { groupStatusMessageV2: { message: hello } },
      { ...inAGroup },
    ],
    ["a mention in a status", "status", { statusMentionMessage: { message: {} } }, {}],
    ["a group's in one", "status", { groupStatusMentionMessage: { message: hello } }, {}],
    ["word of a status", "status", { statusNotificationMessage: {} }, {}],
    ["a status to add to", "status", { statusAddYours: { message: hello } }, {}],
    ["nothing", "empty", {}, {}],
    ["a text of nothing", "empty", { conversation: "" }, {}],
    ["a stanza from nowhere", "malformed", hello, { from: "" }],
    ["a stanza without an id", "malformed", hello, { id: "" }],
    ["what a bot of WhatsApp's writes", "malformed", hello, { from: "867051314767696@bot" }],
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

  test("what another person wrote may be reacted to", () => {
    const react = { reactionMessage: { key, text: "👍" } };
    const bob = { ...direct, from: group, participant: "447700900002@s.whatsapp.net" };
    const attributesOf = () => ({ ...direct, from: group, participant: ada });
    expect(reason(react, bob, { attributesOf })).toBe("reaction");
  });

  test("the owner's own reactions and edits are nobody's event", () => {
    const own = { ...direct, from: "15550001000@s.whatsapp.net", recipient: ada };
    expect(reason({ reactionMessage: { key, text: "👍" } }, own)).toBe("own_reaction");
  });
});

test.each([
  ["encReactionMessage", "encrypted_reaction"],
  ["encCommentMessage", "comment"],
  ["encEventResponseMessage", "event_response"],
  ["secretEncryptedMessage", "encrypted_edit"],
  ["keepInChatMessage", "keep_in_chat"],
  ["call", "call"],
  ["callLogMesssage", "call"],
  ["bcallMessage", "call"],
  ["placeholderMessage", "placeholder"],
  ["messageHistoryBundle", "history"],
  ["messageHistoryNotice", "history"],
  ["stickerSyncRmrMessage", "protocol"],
  ["fastRatchetKeySenderKeyDistributionMessage", "protocol"],
  ["requestPhoneNumberMessage", "request_phone_number"],
])("%s starts nothing: %s", (field, why) => {
  expect(reason({ [field]: {} }, direct)).toBe(why);
});

test.each([
  "HD_IMAGE_DUAL_UPLOAD",
  "HD_VIDEO_DUAL_UPLOAD",
  "HEVC_VIDEO_DUAL_UPLOAD",
  "MOTION_PHOTO",
] as const)("a further copy (%s) of a file that comes by itself starts nothing", (name) => {
  const associationType = proto.MessageAssociation.AssociationType[name];
  const copy = {
    associatedChildMessage: { message: { imageMessage: { caption: "look" } } },
    messageContextInfo: { messageAssociation: { associationType } },
  };
  expect(reason(copy, direct)).toBe("media_copy");
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
      { kind: "edit", targetId: "T1", text: "hello", at: 1_700_000_000 },
    ],
    [
      "an edit in its wrapping",
      { editedMessage: { message: { protocolMessage: { key, type: 14, editedMessage: hello } } } },
      { kind: "edit", targetId: "T1", text: "hello", at: 1_700_000_000 },
    ],
    ["a revoke", { protocolMessage: { key, type: 0 } }, { kind: "revoke", targetId: "T1" }],
  ])("%s", (_, content, event) => {
    expect(read(content).events).toMatchObject([{ ...event, sender: { phone: "+491700000001" } }]);
  });
});
