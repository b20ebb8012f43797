import { isDeepStrictEqual } from "node:util";
import { encodeWAMessage, jidDecode, proto } from "@whiskeysockets/baileys";
import { isPassing } from "./group-commit.ts";
import { type Self, isSameSender, isSelf } from "./identity.ts";
import { kindOf, phoneJid } from "./jid.ts";
import type { StanzaAttributes } from "./journal.ts";
import { type DecryptedStanza, type Surroundings, joinContent, readEnvelope } from "./payload.ts";

/** A message that the account's phone sent again. */
export interface Resent {
  /** Of the stanza that would have brought it, by the phone's word. */
  attributes: StanzaAttributes;
  /** Padded protobuf `Message`. */
  plaintext: Uint8Array;
  fromMe: boolean;
}

const RESPONSE = proto.Message.ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE;

/**
 * The messages in the phone's answer to a placeholder resend request; none in any other stanza. Only the account's own
 * phone may put words into the mouths of others: no contact, and no other linked device.
 */
export function resentBy({ attributes, plaintexts }: DecryptedStanza, self: Self): Resent[] {
  if (attributes.category !== "peer" || !isOwnPhone(attributes.from, self)) return [];
  const content = joinContent(plaintexts)?.protocolMessage;
  if (content?.type !== RESPONSE) return [];
  const results = content.peerDataOperationRequestResponseMessage?.peerDataOperationResult ?? [];
  return results.flatMap(({ placeholderMessageResendResponse }) => {
    const bytes = placeholderMessageResendResponse?.webMessageInfoBytes;
    const message = bytes && readMessage(bytes, self);
    return message ? [message] : [];
  });
}

/**
 * Whether two stanzas stand for one message: same id, chat and writer, by whichever of their addresses. Those that
 * cannot be compared, as where an address is damaged on the disk, do not.
 */
export function isSameMessage(
  one: StanzaAttributes,
  other: StanzaAttributes,
  around: Surroundings,
): boolean {
  try {
    const [a, b] = [readEnvelope(one, around), readEnvelope(other, around)];
    if (typeof a === "string" || typeof b === "string") return false;
    return (
      a.id === b.id &&
      a.fromMe === b.fromMe &&
      isDeepStrictEqual(a.chat, b.chat) &&
      isSameSender(a.sender, b.sender)
    );
  } catch (error) {
    // What cannot be read from the disk now can be later.
    if (isPassing(error)) throw error;
    return false;
  }
}

export function isOwnPhone(jid: string | undefined, self: Self): boolean {
  return isSelf(jid, self) && (jidDecode(jid)?.device ?? 0) === 0;
}

function readMessage(bytes: Uint8Array, self: Self): Resent | null {
  try {
    const info = proto.WebMessageInfo.decode(bytes);
    const attributes = attributesOf(info, self);
    if (!attributes || !info.message) return null;
    const fromMe = Boolean(info.key?.fromMe);
    return { attributes, plaintext: encodeWAMessage(info.message), fromMe };
  } catch {
    return null;
  }
}

/** As what may be old, it counts as backlog. */
function attributesOf(info: proto.WebMessageInfo, self: Self): StanzaAttributes | null {
  const { remoteJid: chat, id, fromMe } = info.key ?? {};
  if (!chat || !id) return null;
  const attributes: StanzaAttributes = { id, t: String(Number(info.messageTimestamp ?? 0)) };
  attributes.offline = "0";
  if (info.pushName) attributes.notify = info.pushName;
  const own = self.phone === null ? null : phoneJid(self.phone);
  const group = kindOf(chat) === "group";
  const writer = fromMe ? own : group ? info.key?.participant || info.participant : chat;
  if (!writer) return null;
  if (group) return { ...attributes, from: chat, participant: writer };
  return { ...attributes, from: writer, ...(fromMe ? { recipient: chat } : {}) };
}
