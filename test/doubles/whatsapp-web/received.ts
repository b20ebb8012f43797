import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";

/** One message as a simulated device read it. */
export interface Received {
  id: string;
  /** number of the account it came from, and its device */
  from: string;
  device: number;
  /** the chat it belongs to: a number, or a group JID */
  chat: string;
  /** written by a linked device of the same account (a copy for this device) */
  fromOwnAccount: boolean;
  kind: "text" | "media" | "reaction" | "edit" | "revoke" | "other";
  text: string | undefined;
  /** id of the message quoted, reacted to, edited or revoked */
  about: string | undefined;
  /** what kind of media, and whether it is a voice note */
  media: "image" | "video" | "audio" | "document" | "sticker" | undefined;
  voice: boolean;
  content: proto.IMessage;
  /** how the ciphertext came */
  encryption: "pkmsg" | "msg" | "skmsg" | "plain";
  at: number;
}

type Meaning = Pick<Received, "kind" | "text" | "about" | "media" | "voice">;

/** Reads what a person would see of a message. */
export function meaning(message: proto.IMessage): Meaning {
  const content = normalizeMessageContent(message) ?? message;
  const nothing: Meaning = {
    kind: "other",
    text: undefined,
    about: undefined,
    media: undefined,
    voice: false,
  };
  const protocol = content.protocolMessage;
  if (protocol?.type === proto.Message.ProtocolMessage.Type.REVOKE) {
    return { ...nothing, kind: "revoke", about: protocol.key?.id ?? undefined };
  }
  if (protocol?.editedMessage) {
    const edited = meaning(protocol.editedMessage);
    return { ...edited, kind: "edit", about: protocol.key?.id ?? undefined };
  }
  if (content.reactionMessage) {
    const { text, key } = content.reactionMessage;
    return { ...nothing, kind: "reaction", text: text ?? "", about: key?.id ?? undefined };
  }
  const media = mediaOf(content);
  if (media) {
    const [type, part] = media;
    const caption = "caption" in part ? part.caption : undefined;
    return {
      kind: "media",
      text: caption ?? undefined,
      about: part.contextInfo?.stanzaId ?? undefined,
      media: type,
      voice: type === "audio" && content.audioMessage?.ptt === true,
    };
  }
  const text = content.conversation ?? content.extendedTextMessage?.text;
  if (text === null || text === undefined || text === "") return nothing;
  const about = content.extendedTextMessage?.contextInfo?.stanzaId ?? undefined;
  return { ...nothing, kind: "text", text, about };
}

export type MediaType = NonNullable<Received["media"]>;
export type MediaPart =
  | proto.Message.IImageMessage
  | proto.Message.IVideoMessage
  | proto.Message.IAudioMessage
  | proto.Message.IDocumentMessage
  | proto.Message.IStickerMessage;

export function mediaOf(content: proto.IMessage): [MediaType, MediaPart] | undefined {
  if (content.imageMessage) return ["image", content.imageMessage];
  if (content.videoMessage) return ["video", content.videoMessage];
  if (content.audioMessage) return ["audio", content.audioMessage];
  if (content.documentMessage) return ["document", content.documentMessage];
  if (content.stickerMessage) return ["sticker", content.stickerMessage];
  return undefined;
}
