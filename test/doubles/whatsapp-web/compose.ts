import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import type { MediaStore } from "./media.ts";

/** Points at an earlier message, as its sender and readers know it. */
export interface MessageReference {
  id: string;
  /** the chat's JID as the receiving client knows it */
  chat: string;
  /** true if the sending phone wrote the message itself */
  mine: boolean;
  /** in groups: who wrote it, when it was not the sender */
  participant?: string | undefined;
}

export type Content =
  | { text: string; quote?: MessageReference & { text: string } }
  | { image: Uint8Array; caption?: string; mimetype?: string }
  | { video: Uint8Array; caption?: string; mimetype?: string }
  | { audio: Uint8Array; mimetype?: string; seconds?: number }
  | { voice: Uint8Array; mimetype?: string; seconds?: number }
  | { document: Uint8Array; fileName: string; mimetype?: string; caption?: string }
  | { sticker: Uint8Array }
  | { reaction: string; about: MessageReference }
  | { edit: MessageReference; text: string }
  | { revoke: MessageReference }
  | { raw: proto.IMessage };

/** What a person does on a phone → the message WhatsApp makes of it. */
export async function compose(content: Content, media: MediaStore): Promise<proto.IMessage> {
  if ("raw" in content) return content.raw;
  if ("reaction" in content) {
    return {
      reactionMessage: {
        key: keyOf(content.about),
        text: content.reaction,
        senderTimestampMs: Date.now(),
      },
    };
  }
  if ("edit" in content) {
    return {
      protocolMessage: {
        key: keyOf(content.edit),
        type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
        editedMessage: { conversation: content.text },
        timestampMs: Date.now(),
      },
    };
  }
  if ("revoke" in content) {
    const type = proto.Message.ProtocolMessage.Type.REVOKE;
    return { protocolMessage: { key: keyOf(content.revoke), type } };
  }
  if ("text" in content) return composeText(content.text, content.quote);
  return composeMedia(content, media);
}

function composeText(
  text: string,
  quote: (MessageReference & { text: string }) | undefined,
): proto.IMessage {
  if (!quote) return { conversation: text };
  return {
    extendedTextMessage: {
      text,
      contextInfo: {
        stanzaId: quote.id,
        participant: quote.participant ?? quote.chat,
        quotedMessage: { conversation: quote.text },
      },
    },
  };
}

type MediaContent = Exclude<
  Content,
  | { raw: unknown }
  | { reaction: unknown }
  | { text: unknown }
  | { edit: unknown }
  | { revoke: unknown }
>;

async function composeMedia(content: MediaContent, media: MediaStore): Promise<proto.IMessage> {
  if ("image" in content) {
    const file = await media.encrypt(content.image, "image");
    const { caption = null, mimetype = "image/jpeg" } = content;
    return { imageMessage: { ...file, caption, mimetype } };
  }
  if ("video" in content) {
    const file = await media.encrypt(content.video, "video");
    const { caption = null, mimetype = "video/mp4" } = content;
    return { videoMessage: { ...file, caption, mimetype } };
  }
  if ("document" in content) {
    const file = await media.encrypt(content.document, "document");
    const { fileName, caption = null, mimetype = "application/pdf" } = content;
    return { documentMessage: { ...file, caption, fileName, mimetype } };
  }
  if ("sticker" in content) {
    const file = await media.encrypt(content.sticker, "sticker");
    return { stickerMessage: { ...file, mimetype: "image/webp" } };
  }
  const voice = "voice" in content;
  const file = await media.encrypt(voice ? content.voice : content.audio, "audio");
  const { seconds = 1 } = content;
  const mimetype = content.mimetype ?? (voice ? "audio/ogg; codecs=opus" : "audio/mp4");
  return { audioMessage: { ...file, mimetype, seconds, ptt: voice } };
}

function keyOf({ id, chat, mine, participant }: MessageReference): proto.IMessageKey {
  return { id, remoteJid: chat, fromMe: mine, participant: participant ?? null };
}

/** The attributes `type` and `edit` of the stanza that carries a message. */
export function stanzaKind(wrapped: proto.IMessage): { type: string; edit: string | undefined } {
  const message = normalizeMessageContent(wrapped) ?? wrapped;
  if (message.reactionMessage) {
    return { type: "reaction", edit: message.reactionMessage.text === "" ? "7" : undefined };
  }
  const protocol = message.protocolMessage?.type;
  if (protocol === proto.Message.ProtocolMessage.Type.REVOKE) return { type: "text", edit: "7" };
  if (protocol === proto.Message.ProtocolMessage.Type.MESSAGE_EDIT) {
    return { type: "text", edit: "1" };
  }
  const { imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage } = message;
  const media = imageMessage ?? videoMessage ?? audioMessage ?? documentMessage ?? stickerMessage;
  return { type: media ? "media" : "text", edit: undefined };
}
