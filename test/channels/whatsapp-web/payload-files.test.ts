import { expect, test } from "bun:test";
import type { proto } from "@whiskeysockets/baileys";
import type { StanzaAttributes } from "../../../src/channels/whatsapp-web/journal.ts";
import { ada, adaLid, direct, file, group, message } from "./stanzas.ts";

test("a file says what is needed to fetch it, and its size is a number", () => {
  const digests = { fileSha256: Buffer.alloc(32, 3), fileEncSha256: Buffer.alloc(32, 2) };
  const [attachment] = message({ videoMessage: { ...file, ...digests, seconds: 9 } }).attachments;
  const base64 = (byte: number) => Buffer.alloc(32, byte).toString("base64");
  expect(attachment).toEqual({
    kind: "video",
    mimeType: "a/b",
    filename: null,
    size: 7,
    durationSecs: 9,
    source: {
      kind: "video",
      ...{ messageId: "M1", chat: ada, fromMe: false, participant: null },
      url: "https://mmg.whatsapp.net/f",
      directPath: "/f",
      mediaKey: base64(1),
      fileSha256: base64(3),
      fileEncSha256: base64(2),
    },
  });
  expect(JSON.parse(JSON.stringify(attachment))).toEqual(attachment);
});

test.each<[string, StanzaAttributes, object]>([
  ["a person's", {}, { chat: ada, fromMe: false, participant: null }],
  ["a LID's", { from: "900491700000001:7@lid" }, { chat: adaLid }],
  [
    "a member's",
    { from: group, participant: `${ada.replace("@", ":7@")}` },
    {
      ...{ chat: group, fromMe: false, participant: ada },
    },
  ],
  [
    "our own",
    { from: "15550001000:3@s.whatsapp.net", recipient: adaLid },
    {
      ...{ chat: adaLid, fromMe: true, participant: null },
    },
  ],
])("a file says which message it is of: %s", (_, attributes, expected) => {
  const [attachment] = message({ imageMessage: file }, { ...direct, ...attributes }).attachments;
  expect(attachment?.source).toMatchObject({ messageId: "M1", ...expected });
});

test("a document's name and the length of sound are told; a size that is none is not", () => {
  const attachment = (content: proto.IMessage) => message(content).attachments[0];
  const document = { ...file, fileName: "offer.pdf", fileLength: 2 ** 60 };
  expect(attachment({ documentMessage: document })).toMatchObject({
    filename: "offer.pdf",
    size: null,
  });
  expect(attachment({ audioMessage: { ...file, seconds: 4 } })).toMatchObject({
    durationSecs: 4,
  });
});
