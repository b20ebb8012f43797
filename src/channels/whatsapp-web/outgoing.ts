import { createHash, randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";
import type { DeliveryContent } from "../message.ts";
import type { Mappings } from "./identity.ts";
import { lidOf, phoneJid } from "./jid.ts";

/**
 * The WhatsApp id of a delivery: always the same, so that a repeated send is dropped by who has it already. Looks like
 * the id a WhatsApp Web client makes ("3EB0" and 18 hexadecimal digits, Baileys `generateMessageIDV2`).
 */
export function messageIdOf(deliveryId: string): string {
  const digest = createHash("sha256").update(`revka:${deliveryId}`).digest("hex");
  return `3EB0${digest.slice(0, 18).toUpperCase()}`;
}

/** A message another one points at, as WhatsApp names it. */
export interface Target {
  id: string;
  fromMe: boolean;
  /** Who wrote it, in a group. */
  participant: string | null;
}

export interface Quotation extends Target {
  /** JID of who wrote it. */
  writer: string;
  text: string;
}

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

/** `timer`: the seconds after which it disappears, 0: it stays. */
export function textMessage(
  text: string,
  quotation: Quotation | null,
  timer: number,
): proto.IMessage {
  const quoting = quotation && {
    stanzaId: quotation.id,
    participant: quotation.writer,
    quotedMessage: { conversation: quotation.text },
  };
  return outgoing({ extendedTextMessage: { text, ...context(quoting, timer) } });
}

function context(info: proto.IContextInfo | null, timer: number) {
  const contextInfo = { ...info, ...(timer > 0 ? { expiration: timer } : {}) };
  return Object.keys(contextInfo).length > 0 ? { contextInfo } : {};
}

export function reactionMessage(
  chat: string,
  target: Target,
  emoji: string,
  now: number,
): proto.IMessage {
  const key = keyOf(chat, target);
  return outgoing({ reactionMessage: { key, text: emoji, senderTimestampMs: now } }, false);
}

export function editMessage(
  chat: string,
  targetId: string,
  text: string,
  now: number,
): proto.IMessage {
  const protocolMessage: proto.Message.IProtocolMessage = {
    key: keyOf(chat, { id: targetId, fromMe: true, participant: null }),
    type: MESSAGE_EDIT,
    editedMessage: { conversation: text },
    timestampMs: now,
  };
  return outgoing({ protocolMessage }, false);
}

export function revokeMessage(chat: string, targetId: string): proto.IMessage {
  const key = keyOf(chat, { id: targetId, fromMe: true, participant: null });
  return outgoing({ protocolMessage: { key, type: REVOKE } }, false);
}

/** A file as it lies encrypted on WhatsApp's media servers. */
export interface UploadedFile {
  url: string;
  directPath: string;
  mediaKey: Uint8Array;
  fileEncSha256: Uint8Array;
  fileSha256: Uint8Array;
  fileLength: number;
  mediaKeyTimestamp: number;
}

export type MediaContent = Extract<DeliveryContent, { kind: "media" }>;

/** `timer`: as of {@link textMessage}. */
export function mediaMessage(
  content: MediaContent,
  file: UploadedFile,
  timer: number,
): proto.IMessage {
  const { mimeType, caption, filename } = content;
  const common = { ...file, mimetype: mimeType, ...context(null, timer) };
  const withCaption = caption ? { ...common, caption } : common;
  const length = content.durationSecs === null ? {} : { seconds: Math.ceil(content.durationSecs) };
  switch (content.media) {
    case "image":
      return outgoing({ imageMessage: withCaption });
    case "video":
      return outgoing({ videoMessage: { ...withCaption, ...length } });
    case "sticker":
      return outgoing({ stickerMessage: common });
    case "document":
      return outgoing({ documentMessage: { ...withCaption, fileName: filename ?? "file" } });
    case "audio":
      return outgoing({ audioMessage: { ...common, ...length } });
    case "voice":
      // Phones play a voice note only under this very type, and only real Ogg/Opus.
      return outgoing({
        audioMessage: { ...common, mimetype: "audio/ogg; codecs=opus", ptt: true, ...length },
      });
  }
}

/**
 * The message for each device once, and not for the one that sends it, which has the addresses `own`. To oneself, Baileys
 * counts every device as the sender's and as the recipient's (`messages-send.js`, relayMessage), and twice of that once
 * it remembers them; in groups that go by LIDs it counts the sending device as well.
 */
export function oncePerDevice(
  message: proto.IMessage,
  devices: string[] = [],
  own: (string | undefined)[] = [],
) {
  const each = new Set(devices.filter((jid) => !own.includes(jid)));
  if (each.size === devices.length || each.size === 0) return message;
  return [...each].map((recipientJid) => ({ recipientJid, message }));
}

/** What the stanza around a message of ours says of it (whatsmeow `send.go`, getEditAttribute). */
export function stanzaAttributes(message: proto.IMessage): Record<string, string> {
  const { protocolMessage, reactionMessage } = message;
  if (protocolMessage?.type === MESSAGE_EDIT) return { edit: "1" };
  if (protocolMessage?.type === REVOKE || reactionMessage?.text === "") return { edit: "7" };
  return {};
}

/** Tells the account's other devices whose LID a message goes to. */
export function aliasOf(chat: string, mappings: Mappings): Record<string, string> {
  const phone = lidOf(chat) && mappings.phoneOfLid(chat);
  return phone ? { peer_recipient_pn: phoneJid(phone) } : {};
}

/** `secret`: what the recipients' reactions, edits and reports of this message are tied to. */
function outgoing(message: proto.IMessage, secret = true): proto.IMessage {
  if (!secret) return message;
  return { ...message, messageContextInfo: { messageSecret: randomBytes(32) } };
}

function keyOf(chat: string, { id, fromMe, participant }: Target): proto.IMessageKey {
  return { remoteJid: chat, id, fromMe, ...(participant ? { participant } : {}) };
}
