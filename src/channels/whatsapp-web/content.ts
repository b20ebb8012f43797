import type { proto } from "@whiskeysockets/baileys";
import type { MediaKind, MediaReference } from "../message.ts";
import { sideshow, unwrapped } from "./wrappings.ts";

type Content = proto.IMessage;
type ContextInfo = proto.IContextInfo;

/** What a message says, without who said it. */
export interface Meaning {
  type: string;
  text: string;
  attachment: MediaReference | null;
  context: ContextInfo | null;
}

export type Reading =
  | { kind: "message"; meaning: Meaning }
  | { kind: "reaction"; targetId: string; emoji: string | null }
  | { kind: "edit"; targetId: string; text: string }
  | { kind: "revoke"; targetId: string }
  | { kind: "ignored"; reason: string };

/** Numbers of protobuf enums used here (`WAProto`: ProtocolMessage.Type). */
const REVOKE = 0;
const MESSAGE_EDIT = 14;

/** Characters of a rendering that the sender did not write as text. */
const LONGEST_LINE = 1000;

/** Fields that say something about a message and are none. */
const attendants = new Set([
  "messageContextInfo",
  "senderKeyDistributionMessage",
  "deviceSentMessage",
]);

/** Content that starts nothing, and why. */
const ignored: Record<string, string> = {
  pollUpdateMessage: "poll_vote",
  encReactionMessage: "encrypted_reaction",
  encCommentMessage: "comment",
  encEventResponseMessage: "event_response",
  secretEncryptedMessage: "encrypted_edit",
  keepInChatMessage: "keep_in_chat",
  pinInChatMessage: "pin",
  albumMessage: "album",
  call: "call",
  callLogMesssage: "call",
  bcallMessage: "call",
  placeholderMessage: "placeholder",
  messageHistoryBundle: "history",
  messageHistoryNotice: "history",
  stickerSyncRmrMessage: "protocol",
  fastRatchetKeySenderKeyDistributionMessage: "protocol",
  requestPhoneNumberMessage: "request_phone_number",
};

/** Reads a message's content. */
export function readContent(raw: Content | null | undefined): Reading {
  const content = raw && unwrapped(raw);
  if (!content) return { kind: "ignored", reason: "empty" };
  const aside = sideshow(raw);
  if (aside) return { kind: "ignored", reason: aside };
  if (content.protocolMessage) return readProtocol(content.protocolMessage);
  if (content.reactionMessage) return readReaction(content.reactionMessage);
  const field = Object.entries(content).find(
    ([name, value]) =>
      value !== null && value !== undefined && value !== "" && !attendants.has(name),
  )?.[0];
  if (field === undefined) return { kind: "ignored", reason: "empty" };
  const reason = ignored[field];
  if (reason) return { kind: "ignored", reason };
  const meaning = readMedia(content) ?? readPlain(content) ?? readTapped(content);
  return { kind: "message", meaning: meaning ?? unknown(field) };
}

function readProtocol(message: proto.Message.IProtocolMessage): Reading {
  const targetId = message.key?.id;
  if (targetId && message.type === REVOKE) return { kind: "revoke", targetId };
  if (targetId && message.type === MESSAGE_EDIT) {
    const edited = readContent(message.editedMessage);
    const text = edited.kind === "message" ? edited.meaning.text : "";
    return { kind: "edit", targetId, text };
  }
  return { kind: "ignored", reason: "protocol" };
}

function readReaction({ key, text }: proto.Message.IReactionMessage): Reading {
  if (!key?.id) return { kind: "ignored", reason: "reaction_without_target" };
  return { kind: "reaction", targetId: key.id, emoji: text || null };
}

interface File {
  url?: string | null;
  directPath?: string | null;
  mediaKey?: Uint8Array | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  fileLength?: number | { toString(): string } | null;
  mimetype?: string | null;
}

function reference(
  kind: MediaKind,
  file: File,
  more: { filename?: string | null; seconds?: number | null } = {},
): MediaReference {
  const base64 = (bytes: Uint8Array | null | undefined) =>
    bytes?.length ? Buffer.from(bytes).toString("base64") : null;
  const size = Number(file.fileLength?.toString() ?? Number.NaN);
  return {
    kind,
    mimeType: file.mimetype ?? null,
    filename: more.filename ?? null,
    size: Number.isSafeInteger(size) ? size : null,
    durationSecs: more.seconds ?? null,
    source: {
      kind,
      url: file.url || null,
      directPath: file.directPath || null,
      mediaKey: base64(file.mediaKey),
      fileSha256: base64(file.fileSha256),
      fileEncSha256: base64(file.fileEncSha256),
    },
  };
}

function readMedia(content: Content): Meaning | null {
  const { imageMessage, videoMessage, ptvMessage, audioMessage, documentMessage, stickerMessage } =
    content;
  const video = videoMessage ?? ptvMessage;
  if (imageMessage) {
    return media("image", imageMessage.caption, reference("image", imageMessage), imageMessage);
  }
  if (video) {
    const file = reference("video", video, { seconds: video.seconds ?? null });
    return media("video", video.caption, file, video);
  }
  if (audioMessage) {
    const file = reference("audio", audioMessage, { seconds: audioMessage.seconds ?? null });
    return media(audioMessage.ptt ? "voice" : "audio", "", file, audioMessage);
  }
  if (documentMessage) {
    const filename = documentMessage.fileName ?? documentMessage.title ?? null;
    const file = reference("document", documentMessage, { filename });
    return media("document", documentMessage.caption || filename, file, documentMessage);
  }
  if (stickerMessage) {
    return media("sticker", "", reference("sticker", stickerMessage), stickerMessage);
  }
  return null;
}

function media(
  type: string,
  text: string | null | undefined,
  attachment: MediaReference,
  { contextInfo }: { contextInfo?: ContextInfo | null },
): Meaning {
  return { type, text: text ?? "", attachment, context: contextInfo ?? null };
}

function readPlain(content: Content): Meaning | null {
  const { extendedTextMessage, locationMessage, liveLocationMessage, orderMessage } = content;
  if (content.conversation) return said("text", content.conversation, null);
  if (extendedTextMessage) {
    return said("text", extendedTextMessage.text ?? "", extendedTextMessage.contextInfo);
  }
  const place = locationMessage ?? liveLocationMessage;
  if (place) {
    const { degreesLatitude: latitude, degreesLongitude: longitude } = place;
    const name = locationMessage?.name || locationMessage?.address || liveLocationMessage?.caption;
    const text = line([`Location ${latitude}, ${longitude}`, name]);
    return said("location", text, place.contextInfo);
  }
  if (content.contactMessage) {
    const { contactMessage } = content;
    return said("contacts", contact(contactMessage), contactMessage.contextInfo);
  }
  if (content.contactsArrayMessage) {
    const { contacts, contextInfo } = content.contactsArrayMessage;
    return said("contacts", (contacts ?? []).map(contact).join("; ").slice(0, 1000), contextInfo);
  }
  if (orderMessage) {
    const { itemCount, orderTitle, message } = orderMessage;
    const items = itemCount ? `${itemCount} items` : null;
    return said("order", line(["Order", orderTitle, items, message]), orderMessage.contextInfo);
  }
  if (content.productMessage) {
    const { product, body, contextInfo } = content.productMessage;
    return said("product", line(["Product", product?.title, body]), contextInfo);
  }
  const poll =
    content.pollCreationMessage ??
    content.pollCreationMessageV2 ??
    content.pollCreationMessageV3 ??
    content.pollCreationMessageV5;
  if (poll) {
    const options = (poll.options ?? []).map(({ optionName }) => optionName).join(" / ");
    return said("poll", line(["Poll", poll.name, options]), poll.contextInfo);
  }
  if (content.eventMessage) {
    const { name, description, contextInfo } = content.eventMessage;
    return said("event", line(["Event", name, description]), contextInfo);
  }
  if (content.groupInviteMessage) {
    const { groupName, caption, contextInfo } = content.groupInviteMessage;
    return said("group_invite", line(["Invitation to a group", groupName, caption]), contextInfo);
  }
  return null;
}

/** Something tapped: the title is what counts as said. */
function readTapped(content: Content): Meaning | null {
  const { buttonsResponseMessage, templateButtonReplyMessage, listResponseMessage } = content;
  if (buttonsResponseMessage) {
    const { selectedDisplayText, selectedButtonId, contextInfo } = buttonsResponseMessage;
    return said("button", selectedDisplayText || selectedButtonId || "", contextInfo);
  }
  if (templateButtonReplyMessage) {
    const { selectedDisplayText, selectedId, contextInfo } = templateButtonReplyMessage;
    return said("button", selectedDisplayText || selectedId || "", contextInfo);
  }
  if (listResponseMessage) {
    const { title, singleSelectReply, contextInfo } = listResponseMessage;
    return said("interactive", title || singleSelectReply?.selectedRowId || "", contextInfo);
  }
  if (content.interactiveResponseMessage) {
    const { body, nativeFlowResponseMessage, contextInfo } = content.interactiveResponseMessage;
    return said("interactive", body?.text || nativeFlowResponseMessage?.name || "", contextInfo);
  }
  return null;
}

/** A type that is not known yet gets an honest line. `newThingMessage` → `new_thing`. */
function unknown(field: string): Meaning {
  const type = field
    .replace(/Message(V\d+)?$/, "")
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/^_/, "");
  return said(type, `[a message of the type "${type}", which cannot be shown as text]`, null);
}

function said(type: string, text: string, context: ContextInfo | null | undefined): Meaning {
  return { type, text, attachment: null, context: context ?? null };
}

/** Name and numbers of a visiting card, on one line. */
function contact({ displayName, vcard }: proto.Message.IContactMessage): string {
  const numbers = [...(vcard ?? "").matchAll(/^(?:item\d+\.)?TEL[^:\n]*:(.+)$/gim)];
  return line([displayName || "Contact", ...numbers.map((match) => match[1]?.trim())]);
}

function line(parts: (string | null | undefined)[]): string {
  const text = parts.filter((part) => part).join(", ");
  return text.replace(/\s+/g, " ").slice(0, LONGEST_LINE);
}
