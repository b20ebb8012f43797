import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";

type Content = proto.IMessage;

/** Wrappings that Baileys' `normalizeMessageContent` leaves on. */
const further = [
  "lottieStickerMessage",
  "groupMentionedMessage",
  "botInvokeMessage",
  "botForwardedMessage",
  "questionMessage",
  "questionReplyMessage",
  "pollCreationMessageV4",
] as const;

/** Statuses that come in a chat; Baileys takes some for wrappings. */
const statuses = [
  "groupStatusMessage",
  "groupStatusMessageV2",
  "statusMentionMessage",
  "groupStatusMentionMessage",
  "statusNotificationMessage",
  "statusAddYours",
] as const;

const { HD_IMAGE_DUAL_UPLOAD, HD_VIDEO_DUAL_UPLOAD, HEVC_VIDEO_DUAL_UPLOAD, MOTION_PHOTO } =
  proto.MessageAssociation.AssociationType;

/** Further copies of a file whose message comes by itself. */
const copies = new Set<unknown>([
  HD_IMAGE_DUAL_UPLOAD,
  HD_VIDEO_DUAL_UPLOAD,
  HEVC_VIDEO_DUAL_UPLOAD,
  MOTION_PHOTO,
]);

/** A message without what WhatsApp wraps around it (ephemeral, view once, caption, …). */
export function unwrapped(raw: Content): Content | undefined {
  const content = normalizeMessageContent(raw);
  const wrapping = further.find((name) => content?.[name]?.message);
  const inner = wrapping && content?.[wrapping]?.message;
  return inner ? normalizeMessageContent(inner) : content;
}

/** Why a message says nothing to its chat for itself, told by what is wrapped around it; null where it does. */
export function sideshow(raw: Content): "status" | "media_copy" | null {
  if (statuses.some((name) => raw[name])) return "status";
  const association = raw.messageContextInfo?.messageAssociation?.associationType;
  return copies.has(association) ? "media_copy" : null;
}
