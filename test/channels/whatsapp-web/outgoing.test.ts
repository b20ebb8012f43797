import { describe, expect, test } from "bun:test";
import { proto } from "@whiskeysockets/baileys";
import {
  type MediaContent,
  type UploadedFile,
  editMessage,
  mediaMessage,
  messageIdOf,
  oncePerDevice,
  reactionMessage,
  revokeMessage,
  stanzaAttributes,
  textMessage,
} from "../../../src/channels/whatsapp-web/outgoing.ts";

test("the id of a delivery is always the same, differs from others, and looks like a web client's", () => {
  expect(messageIdOf("delivery-1")).toBe(messageIdOf("delivery-1"));
  expect(messageIdOf("delivery-1")).not.toBe(messageIdOf("delivery-2"));
  expect(messageIdOf("delivery-1")).toMatch(/^3EB0[0-9A-F]{18}$/);
});

test("a quotation carries who wrote it and how it began", () => {
  const quotation = { id: "Q", fromMe: false, participant: null, writer: "4917@lid", text: "hey" };
  expect(textMessage("yes", quotation, 0).extendedTextMessage).toMatchObject({
    text: "yes",
    contextInfo: {
      stanzaId: "Q",
      participant: "4917@lid",
      quotedMessage: { conversation: "hey" },
    },
  });
  expect(textMessage("yes", null, 0).extendedTextMessage?.contextInfo).toBeUndefined();
});

test("what disappears says after how many seconds, a quotation beside it or not", () => {
  const quotation = { id: "Q", fromMe: false, participant: null, writer: "4917@lid", text: "hey" };
  expect(textMessage("yes", quotation, 86_400).extendedTextMessage?.contextInfo).toMatchObject({
    stanzaId: "Q",
    expiration: 86_400,
  });
  expect(textMessage("yes", null, 86_400).extendedTextMessage?.contextInfo).toEqual({
    expiration: 86_400,
  });
});

test("a reaction in a group names whom it is about", () => {
  const target = { id: "T", fromMe: false, participant: "4917@lid" };
  expect(reactionMessage("1@g.us", target, "👍", 5).reactionMessage).toEqual({
    key: { remoteJid: "1@g.us", id: "T", fromMe: false, participant: "4917@lid" },
    text: "👍",
    senderTimestampMs: 5,
  });
});

test("an edit says what it is now, and since when", () => {
  expect(editMessage("4917@lid", "T", "b", 5).protocolMessage).toMatchObject({
    key: { remoteJid: "4917@lid", id: "T", fromMe: true },
    type: 14,
    editedMessage: { conversation: "b" },
    timestampMs: 5,
  });
});

test("what others may react to has a secret of its own; what speaks of it has none", () => {
  const target = { id: "T", fromMe: false, participant: null };
  const secrets = [textMessage("a", null, 0), textMessage("a", null, 0)].map(
    ({ messageContextInfo }) => messageContextInfo?.messageSecret?.length && messageContextInfo,
  );
  expect(secrets[0]).toBeObject();
  expect(secrets[0]).not.toEqual(secrets[1] ?? null);
  for (const message of [
    reactionMessage("4917@lid", target, "👍", 5),
    editMessage("4917@lid", "T", "b", 5),
    revokeMessage("4917@lid", "T"),
  ]) {
    expect(Object.keys(message)).toHaveLength(1);
  }
});

describe("media", () => {
  const file: UploadedFile = {
    url: "https://mmg.whatsapp.net/f",
    directPath: "/f",
    mediaKey: Buffer.alloc(32),
    fileEncSha256: Buffer.alloc(32),
    fileSha256: Buffer.alloc(32),
    fileLength: 3,
    mediaKeyTimestamp: 1,
  };
  const content: MediaContent = {
    kind: "media",
    media: "image",
    path: "/x",
    mimeType: "a/b",
    filename: "x.bin",
    caption: "look",
    durationSecs: 2.1,
  };

  test.each<[MediaContent["media"], keyof proto.IMessage, object]>([
    ["image", "imageMessage", { caption: "look", mimetype: "a/b" }],
    ["video", "videoMessage", { caption: "look", seconds: 3 }],
    ["document", "documentMessage", { caption: "look", fileName: "x.bin" }],
    ["audio", "audioMessage", { mimetype: "a/b", seconds: 3 }],
    ["voice", "audioMessage", { mimetype: "audio/ogg; codecs=opus", ptt: true, seconds: 3 }],
    ["sticker", "stickerMessage", { mimetype: "a/b" }],
  ])("%s is a %s that survives its encoding", (media, field, expected) => {
    const built = mediaMessage({ ...content, media }, file, 0);
    expect(built[field]).toMatchObject(expected);
    const again = proto.Message.decode(proto.Message.encode(built).finish());
    expect(again[field]).toMatchObject(expected);
  });

  test.each<[MediaContent["media"], keyof proto.IMessage]>([
    ["image", "imageMessage"],
    ["voice", "audioMessage"],
  ])("%s says where it lies, and when it disappears", (media, field) => {
    expect(mediaMessage({ ...content, media }, file, 86_400)[field]).toMatchObject({
      ...file,
      contextInfo: { expiration: 86_400 },
    });
  });

  test("a file without a name has one; of what is not known nothing is said", () => {
    const bare = { ...content, filename: null, caption: null, durationSecs: null };
    const { documentMessage } = mediaMessage({ ...bare, media: "document" }, file, 0);
    expect(documentMessage?.fileName).toBe("file");
    expect(documentMessage).not.toHaveProperty("caption");
    const { audioMessage } = mediaMessage({ ...bare, media: "voice" }, file, 0);
    expect(audioMessage).not.toHaveProperty("seconds");
  });
});

test("edits and what is taken back are marked on the stanza, the first time and when sent again", () => {
  const kept = (message: proto.IMessage) =>
    proto.Message.decode(proto.Message.encode(message).finish());
  for (const [message, attributes] of [
    [editMessage("4917@lid", "T", "x", 1), { edit: "1" }],
    [revokeMessage("4917@lid", "T"), { edit: "7" }],
    [reactionMessage("4917@lid", { id: "T", fromMe: true, participant: null }, "👍", 1), {}],
    [
      reactionMessage("4917@lid", { id: "T", fromMe: true, participant: null }, "", 1),
      { edit: "7" },
    ],
    [textMessage("x", null, 0), {}],
  ] as const) {
    expect(stanzaAttributes(message)).toEqual(attributes);
    expect(stanzaAttributes(kept(message))).toEqual(attributes);
  }
});

test.each<[string[], string[] | null]>([
  [["a", "b"], null],
  [
    ["a", "a", "b"],
    ["a", "b"],
  ],
  [
    ["a", "own", "b"],
    ["a", "b"],
  ],
  [["own", "a", "ownLid", "a"], ["a"]],
  [["own"], null],
  [[], null],
])("of the devices %j each one but the own gets a copy", (devices, each) => {
  const message = { conversation: "hi" };
  const expected = each?.map((recipientJid) => ({ recipientJid, message })) ?? message;
  expect(oncePerDevice(message, devices, ["own", "ownLid", undefined])).toEqual(expected);
});

test("a message for a group as a whole stays what it is", () => {
  expect(oncePerDevice({ conversation: "hi" })).toEqual({ conversation: "hi" });
});
