import { hkdf } from "@whiskeysockets/baileys";
import type { MediaKind } from "../message.ts";

/** A file of a message, or a part of the phone's history. */
export type FileKind = MediaKind | "history";

/** What the keys of a file are derived with. Source of these, and of the paths: Baileys `lib/Defaults/index.js`. */
const infos: Record<FileKind, string> = {
  image: "WhatsApp Image Keys",
  sticker: "WhatsApp Image Keys",
  video: "WhatsApp Video Keys",
  audio: "WhatsApp Audio Keys",
  document: "WhatsApp Document Keys",
  history: "WhatsApp History Keys",
};

const paths: Record<MediaKind, string> = {
  image: "/mms/image",
  sticker: "/mms/image",
  video: "/mms/video",
  audio: "/mms/audio",
  document: "/mms/document",
};

/** Bytes of HMAC-SHA-256 behind the ciphertext. */
export const MAC_BYTES = 10;

export interface MediaKeys {
  iv: Buffer;
  cipherKey: Buffer;
  macKey: Buffer;
}

/** The keys of one file: AES-256-CBC and HMAC-SHA-256 over IV and ciphertext. */
export function mediaKeys(mediaKey: Uint8Array, kind: FileKind): MediaKeys {
  const expanded = Buffer.from(hkdf(mediaKey, 112, { info: infos[kind] }));
  return {
    iv: expanded.subarray(0, 16),
    cipherKey: expanded.subarray(16, 48),
    macKey: expanded.subarray(48, 80),
  };
}

export function uploadPath(kind: MediaKind): string {
  return paths[kind];
}
