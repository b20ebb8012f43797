import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import type { Companion } from "./companion.ts";
import type { Phone } from "./phone.ts";
import { type MediaPart, mediaOf } from "./received.ts";
import type { WhatsAppDouble } from "./server.ts";
import { type BinaryNode, attribute, child, now, requiredBytes, stanza } from "./stanza.ts";

/** A file that a client asked its phone to upload again, as it named the message. */
export interface MediaRetry {
  id: string;
  to: string;
  chat: string;
  fromMe: boolean;
  participant: string | undefined;
}

const { SUCCESS, NOT_FOUND, DECRYPTION_ERROR, GENERAL_ERROR } =
  proto.MediaRetryNotification.ResultType;
const TAG = 16;

/** Hands a request to the phone of the client's account, which does as it is set to. */
export function acceptMediaRetry(double: WhatsAppDouble, self: Companion, node: BinaryNode): void {
  const retry = retryOf(node);
  double.mediaRetries.add(retry);
  const phone = double.phoneOf(double.directory.find(retry.to));
  if (phone?.account !== self.account) throw new Error(`a media retry to ${retry.to}`);
  if (phone.mediaRetries === "silent") return;
  answerMediaRetry(self, retry, answerOf(double, phone, retry, node));
}

/** What a phone says of a file: a result, with a new path where there is one. */
export interface PhoneAnswer {
  result: proto.MediaRetryNotification.ResultType;
  directPath?: string;
  /** what it is encrypted with; without it, only the result goes out, in the clear */
  mediaKey?: Uint8Array;
}

/** Gives a client an answer, asked for or not; `attributes` change what the stanza says of itself. */
export function answerMediaRetry(
  companion: Companion,
  about: Omit<MediaRetry, "to">,
  answer: PhoneAnswer,
  attributes: Record<string, string> = {},
): void {
  const from = companion.account.jid();
  companion.deliver(mediaRetryAnswer(about, answer, { from, ...attributes }));
}

/** An answer as it reaches a client. */
export function mediaRetryAnswer(
  { id, chat, fromMe, participant }: Omit<MediaRetry, "to">,
  { result, directPath, mediaKey }: PhoneAnswer,
  attributes: Record<string, string>,
): BinaryNode {
  const content = { stanzaId: id, result, ...(directPath === undefined ? {} : { directPath }) };
  const said = mediaKey
    ? encrypted(proto.MediaRetryNotification.encode(content).finish(), mediaKey, id)
    : stanza("error", { code: result });
  const rmr = stanza("rmr", { jid: chat, from_me: String(fromMe), participant });
  return stanza("notification", { id, type: "mediaretry", t: now(), ...attributes }, [said, rmr]);
}

function answerOf(
  double: WhatsAppDouble,
  phone: Phone,
  retry: MediaRetry,
  node: BinaryNode,
): PhoneAnswer {
  const file = fileOf(double, phone, retry);
  if (!file?.mediaKey || !file.directPath) return { result: NOT_FOUND };
  const { mediaKey } = file;
  if (!isGenuine(node, mediaKey, retry.id)) return { result: DECRYPTION_ERROR };
  switch (phone.mediaRetries) {
    case "lacks in the clear":
      return { result: NOT_FOUND };
    case "lacks":
      return { result: NOT_FOUND, mediaKey };
    case "fails":
      return { result: GENERAL_ERROR, mediaKey };
    default:
      return { result: SUCCESS, directPath: double.media.uploadAgain(file.directPath), mediaKey };
  }
}

function retryOf(node: BinaryNode): MediaRetry {
  const rmr = child(node, "rmr");
  if (!rmr) throw new Error("a media retry names no message");
  return {
    id: attribute(node, "id"),
    to: attribute(node, "to"),
    chat: attribute(rmr, "jid"),
    fromMe: attribute(rmr, "from_me") === "true",
    participant: rmr.attrs.participant,
  };
}

/** The file of a message, where it is named as the phone knows it: people without their devices. */
function fileOf(
  double: WhatsAppDouble,
  phone: Phone,
  { id, chat: jid, fromMe, participant }: MediaRetry,
): MediaPart | undefined {
  if (`${jid}${participant ?? ""}`.includes(":")) return undefined;
  const group = double.groups.get(jid);
  const chat = group?.jid ?? double.directory.find(jid)?.number;
  const writer = double.directory.find(participant ?? "")?.number;
  const from = fromMe ? phone.number : group ? writer : chat;
  if ((group !== undefined) !== (participant !== undefined)) return undefined;
  if (group && writer !== from) return undefined;
  const sent = phone.outgoing.get(id);
  const written = sent && { chat: "members" in sent.to ? sent.to.jid : sent.to.number, ...sent };
  const content = fromMe
    ? written?.chat === chat && written?.message
    : phone.inbox.all.find((one) => one.id === id && one.chat === chat && one.from === from)
        ?.content;
  return content ? mediaOf(normalizeMessageContent(content) ?? content)?.[1] : undefined;
}

function isGenuine(node: BinaryNode, mediaKey: Uint8Array, id: string): boolean {
  const encrypt = child(node, "encrypt");
  const bytes = requiredBytes(encrypt, "enc_p");
  const iv = requiredBytes(encrypt, "enc_iv");
  const decipher = createDecipheriv("aes-256-gcm", retryKey(mediaKey), iv, { authTagLength: TAG });
  decipher.setAAD(Buffer.from(id));
  decipher.setAuthTag(bytes.subarray(-TAG));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(0, -TAG)), decipher.final()]);
    return proto.ServerErrorReceipt.decode(plain).stanzaId === id;
  } catch {
    return false;
  }
}

function encrypted(plain: Uint8Array, mediaKey: Uint8Array, id: string): BinaryNode {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", retryKey(mediaKey), iv);
  cipher.setAAD(Buffer.from(id));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return stanza("encrypt", {}, [stanza("enc_p", {}, ciphertext), stanza("enc_iv", {}, iv)]);
}

function retryKey(mediaKey: Uint8Array): Buffer {
  const info = "WhatsApp Media Retry Notification";
  return Buffer.from(hkdfSync("sha256", mediaKey, Buffer.alloc(0), info, 32));
}
