import { type BinaryNode, type proto, decodeMessageNode } from "@whiskeysockets/baileys";
import type { Self } from "./identity.ts";
import { attributesOf } from "./incoming-stanzas.ts";
import { kindOf, phoneJid, withoutDevice } from "./jid.ts";
import { type StanzaAttributes, digestOf } from "./journal.ts";

/** What no phone sends again (`messages-recv.js:1309`); of the last, Baileys makes no placeholder at all. */
const withheld = new Set([
  "bot_unavailable_fanout",
  "hosted_unavailable_fanout",
  "view_once_unavailable_fanout",
  "view_once",
]);

/** Chats whose messages are handed over. */
const chats = new Set(["phone", "lid", "group"]);

/**
 * The attributes of a message that WhatsApp hands over without its content, such as the first one from a
 * click-to-WhatsApp ad; null for any other stanza.
 */
export function placeholderOf(node: BinaryNode, self: Self): StanzaAttributes | null {
  const children = Array.isArray(node.content) ? node.content : [];
  const notAskedFor = children.some(
    ({ tag, attrs }) =>
      tag === "enc" ||
      tag === "plaintext" ||
      (tag === "unavailable" && withheld.has(attrs.type ?? "")),
  );
  return notAskedFor ? null : toAskFor(attributesOf(node), self);
}

/**
 * The attributes of a message of a chat whose content is missing, else null. The account's phone has the content and
 * sends it when asked. As that may take days, the message counts as backlog.
 */
export function toAskFor(stanza: StanzaAttributes, self: Self): StanzaAttributes | null {
  const attributes: StanzaAttributes = { ...stanza, offline: "0" };
  return attributes.category !== "peer" && isOfChat(attributes, self) ? attributes : null;
}

/** Names a message without content, in the journal: by its stanza, which comes again alike. */
export function partOf({ from = "", participant = "", id = "" }: StanzaAttributes): string {
  return digestOf(Buffer.from(JSON.stringify(["resent", from, participant, id])));
}

function isOfChat(attributes: StanzaAttributes, self: Self): boolean {
  try {
    const { remoteJid, id } = messageKeyOf(attributes, self);
    const jids = [remoteJid ?? "", attributes.recipient ?? remoteJid ?? ""];
    return Boolean(id) && jids.every((jid) => chats.has(kindOf(jid)));
  } catch {
    return false;
  }
}

/** How the phone is told which message is meant: it knows no devices of others. Throws where the stanza is none of a message. */
export function messageKeyOf(attributes: StanzaAttributes, self: Self): proto.IMessageKey {
  const node = { tag: "message", attrs: attributes };
  const { key } = decodeMessageNode(
    node,
    self.phone ? phoneJid(self.phone) : "",
    self.lid ?? "",
  ).fullMessage;
  const { remoteJid, fromMe, id, participant } = key;
  return {
    remoteJid: remoteJid ? withoutDevice(remoteJid) : null,
    fromMe: Boolean(fromMe),
    id: id ?? null,
    participant: participant ? withoutDevice(participant) : null,
  };
}
