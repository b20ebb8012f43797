import { basename } from "node:path";
import { sendFailure } from "../failure.ts";
import type { Delivery, DeliveryContent, Recipient, SendFailure } from "../message.ts";
import { bareType } from "../media-limits.ts";

type Body = Record<string, unknown>;
export type Outgoing = { ok: true; body: Body } | { ok: false; failure: SendFailure };

/**
 * The body of `POST /{phone-number-id}/messages` for a delivery. `mediaId` is the upload of a media delivery's file.
 * Pure. Source: Meta, messages/send-messages; business-scoped-user-ids ("recipient"); groups.
 */
export function messageBody(delivery: Delivery, mediaId: string | null): Outgoing {
  const address = addressOf(delivery.recipient);
  const content = contentOf(delivery.content, mediaId);
  if (!address) {
    return unsupported(
      "recipient",
      "The Cloud API reaches phone numbers, user ids (BSUIDs) and groups only.",
    );
  }
  if (!content) {
    return unsupported("content", "The Cloud API can neither edit nor revoke a message.");
  }
  if (delivery.recipient.kind === "group" && delivery.content.kind === "reaction") {
    return unsupported("content", "The Cloud API takes only text and files for groups.");
  }
  // Meta echoes up to 512 characters of ours back in a status.
  const ours = { messaging_product: "whatsapp", biz_opaque_callback_data: delivery.id };
  return { ok: true, body: { ...ours, ...address, ...content } };
}

function unsupported(what: string, hint: string): Outgoing {
  return { ok: false, failure: sendFailure("no", `unsupported_${what}`, hint) };
}

/** The plus stays: without it Meta may put the business' own country in front. */
function addressOf(recipient: Recipient): Body | null {
  if (recipient.kind === "group") return { recipient_type: "group", to: recipient.id };
  if (recipient.kind === "self") return null;
  if (recipient.phone !== null) return { recipient_type: "individual", to: recipient.phone };
  if (recipient.userId === null) return null;
  return { recipient_type: "individual", recipient: recipient.userId };
}

function contentOf(content: DeliveryContent, mediaId: string | null): Body | null {
  switch (content.kind) {
    case "text": {
      const text = { type: "text", text: { body: content.text, preview_url: false } };
      return content.quote === null ? text : { ...text, context: { message_id: content.quote } };
    }
    case "reaction": {
      const { targetId, emoji } = content;
      return { type: "reaction", reaction: { message_id: targetId, emoji } };
    }
    case "media":
      return mediaId === null ? null : mediaOf(content, mediaId);
    case "edit":
    case "revoke":
      return null;
  }
}

function mediaOf(content: Extract<DeliveryContent, { kind: "media" }>, id: string): Body {
  const caption = content.caption === null ? {} : { caption: content.caption };
  switch (content.media) {
    case "voice":
      // Only Ogg plays as a voice note; anything else is at least heard as a file.
      return bareType(content.mimeType) === "audio/ogg"
        ? { type: "audio", audio: { id, voice: true } }
        : { type: "audio", audio: { id } };
    case "audio":
      return { type: "audio", audio: { id } };
    case "sticker":
      return { type: "sticker", sticker: { id } };
    case "document": {
      const filename = content.filename ?? basename(content.path);
      return { type: "document", document: { id, ...caption, filename } };
    }
    default:
      return { type: content.media, [content.media]: { id, ...caption } };
  }
}
