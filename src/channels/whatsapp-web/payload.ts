import { decodeMessageNode, proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { InboundEvent, Message, Sender } from "../message.ts";
import { type Meaning, readContent } from "./content.ts";
import { timerIn } from "./disappearing.ts";
import { type Mappings, type Self, isSameSender, isSelf, senderOf } from "./identity.ts";
import { kindOf, phoneJid, withoutDevice } from "./jid.ts";
import type { StanzaAttributes } from "./journal.ts";
import { withMessage } from "./media-retry.ts";
import { messageKeyOf } from "./placeholder.ts";

/** A decrypted stanza, as the journal keeps it. */
export interface DecryptedStanza {
  attributes: StanzaAttributes;
  /** Padded protobuf `Message`s: a group's first message has its sender key apart. */
  plaintexts: Uint8Array[];
}

export interface Surroundings {
  self: Self;
  mappings: Mappings;
  /** Whether we sent the message with this id: what the owner's other devices show us of ourselves. */
  isOurs(id: string): boolean;
  /** The stanza that brought the message with this id, where it is still known. */
  attributesOf(id: string): StanzaAttributes | undefined;
  /** Found by a replay: an age window applies whatever the stanza says. */
  replayed: boolean;
}

export interface Translation {
  events: InboundEvent[];
  /** What to show when the message is quoted. */
  preview: string | null;
  /** The stanza brought a sender key, which a redelivery must be able to bring again. */
  carriesSenderKey: boolean;
  /** After how many seconds the messages of this chat (a JID) disappear, 0: they stay; null where that is not said. */
  timer: { chat: string; seconds: number } | null;
}

/** A stanza as events. Pure. Whatever cannot be understood is an `ignored` event with its reason. */
export function translate(stanza: DecryptedStanza, around: Surroundings): Translation {
  const content = joinContent(stanza.plaintexts);
  const carriesSenderKey = Boolean(content?.senderKeyDistributionMessage);
  let timer: Translation["timer"] = null;
  const nothing = (reason: string): Translation => ({
    events: [{ kind: "ignored", reason }],
    preview: null,
    carriesSenderKey,
    timer,
  });
  if (!content) return nothing("unreadable");
  const envelope = readEnvelope(stanza.attributes, around);
  if (typeof envelope === "string") return nothing(envelope);
  if (around.isOurs(envelope.id)) return nothing("own_echo");
  timer = timerOf(envelope, content);
  const reading = readContent(content);
  const { sender } = envelope;
  if (reading.kind === "ignored") return nothing(reading.reason);
  if (reading.kind === "message") {
    const message = toMessage(envelope, reading.meaning, stanza.attributes, around);
    const preview = message.text || `[${message.type}]`;
    return { events: [{ kind: "message", message }], preview, carriesSenderKey, timer };
  }
  if (envelope.fromMe) return nothing(`own_${reading.kind}`);
  // Ids are chosen by senders: nobody may change what another person wrote.
  if (reading.kind !== "reaction" && !wroteThat(sender, reading.targetId, around)) {
    return nothing(`foreign_${reading.kind}`);
  }
  const at = reading.kind === "edit" ? { at: envelope.timestamp } : {};
  return { events: [{ ...reading, sender, ...at }], preview: null, carriesSenderKey, timer };
}

function timerOf(
  { chat, sender, fromMe }: Envelope,
  content: proto.IMessage,
): Translation["timer"] {
  const seconds = timerIn(content);
  const { phone, lid } = sender;
  const person = phone ? phoneJid(phone) : lid;
  // What the owner wrote to somebody names the owner alone.
  const jid = chat.kind === "group" ? chat.id : chat.kind === "direct" && fromMe ? null : person;
  return seconds === null || jid === null ? null : { chat: jid, seconds };
}

/** False where another person is known to have written the message with this id. */
function wroteThat(sender: Sender, id: string, around: Surroundings): boolean {
  const attributes = around.attributesOf(id);
  const envelope = attributes && readEnvelope(attributes, around);
  if (!envelope || typeof envelope === "string") return true;
  return isSameSender(envelope.sender, sender);
}

/** Everything around the content of a message. */
type Envelope = Pick<Message, "id" | "chat" | "sender" | "timestamp" | "fromMe" | "backlog">;

/** Answers why, where a stanza is no message of a chat. */
export function readEnvelope(
  attributes: StanzaAttributes,
  around: Surroundings,
): Envelope | string {
  const { self, mappings } = around;
  let decoded: ReturnType<typeof decodeMessageNode>;
  try {
    const node = { tag: "message", attrs: attributes };
    decoded = decodeMessageNode(node, ownJid(self.phone), self.lid ?? "");
  } catch {
    return "malformed";
  }
  const { key, pushName, messageTimestamp } = decoded.fullMessage;
  const { remoteJid, id } = key;
  if (!remoteJid || !id) return "malformed";
  const kind = kindOf(remoteJid);
  if (kind === "status") return "status_broadcast";
  if (kind === "broadcast" || kind === "newsletter") return kind;
  if (kind === "other") return "unknown_chat";
  // What the owner writes there (to Meta's own AI, say) comes in as if written to oneself.
  if (attributes.recipient !== undefined && kindOf(attributes.recipient) === "other") {
    return "unknown_chat";
  }
  if (attributes.category === "peer") return "protocol";
  const fromMe = Boolean(key.fromMe);
  const names = { name: pushName?.trim() || null, username: usernameOf(attributes) };
  const writer =
    kind === "group" ? [key.participant, key.participantAlt] : [remoteJid, key.remoteJidAlt];
  const sender = fromMe
    ? { phone: self.phone, userId: null, lid: self.lid, ...names }
    : senderOf(writer, mappings, names);
  const withSelf = fromMe && kind !== "group" && isSelf(remoteJid, self);
  return {
    id,
    chat:
      kind === "group"
        ? { kind: "group", id: withoutDevice(remoteJid) }
        : { kind: withSelf ? "self" : "direct" },
    sender,
    timestamp: Number(messageTimestamp ?? 0) || 0,
    fromMe,
    backlog: around.replayed || attributes.offline !== undefined,
  };
}

function toMessage(
  envelope: Envelope,
  { type, text, attachment, context }: Meaning,
  attributes: StanzaAttributes,
  { self }: Surroundings,
): Message {
  const mentioned = (context?.mentionedJid ?? []).some((jid) => isSelf(jid, self));
  const replied = Boolean(context?.stanzaId) && isSelf(context?.participant, self);
  return {
    ...envelope,
    type,
    text,
    replyTo: context?.stanzaId ?? null,
    forwarded: Boolean(context?.isForwarded),
    attachments: attachment ? [withMessage(attachment, messageKeyOf(attributes, self))] : [],
    mentionsMe: mentioned || replied,
  };
}

/** The parts of a stanza as one message; what another of the own devices sent is taken out of its wrapping. */
export function joinContent(plaintexts: Uint8Array[]): proto.IMessage | null {
  const joined: proto.IMessage = {};
  try {
    for (const plaintext of plaintexts) {
      const message = proto.Message.decode(unpadRandomMax16(plaintext));
      Object.assign(joined, message, message.deviceSentMessage?.message);
    }
  } catch {
    return null;
  }
  return joined;
}

function usernameOf(attributes: StanzaAttributes): string | null {
  return attributes.participant_username ?? attributes.peer_recipient_username ?? null;
}

function ownJid(phone: string | null): string {
  return phone === null ? "" : `${phone.slice(1)}@s.whatsapp.net`;
}
