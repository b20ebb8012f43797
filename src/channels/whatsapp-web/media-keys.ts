import { hkdf } from "@whiskeysockets/baileys";
import type { MediaKind } from "../message.ts";

/** What the keys of a file are derived with, and where it lies. Source: Baileys `lib/Defaults/index.js`. */
const kinds: Record<MediaKind, { info: string; path: string }> = {
  image: { info: "WhatsApp Image Keys", path: "/mms/image" },
  sticker: { info: "WhatsApp Image Keys", path: "/mms/image" },
  video: { info: "WhatsApp Video Keys", path: "/mms/video" },
  audio: { info: "WhatsApp Audio Keys", path: "/mms/audio" },
  document: { info: "WhatsApp Document Keys", path: "/mms/document" },
};

/** Bytes of HMAC-SHA-256 behind the ciphertext. */
export const MAC_BYTES = 10;

export interface MediaKeys {
  iv: Buffer;
  cipherKey: Buffer;
  macKey: Buffer;
}

/** The keys of one file: AES-256-CBC and HMAC-SHA-256 over IV and ciphertext. */
export function mediaKeys(mediaKey: Uint8Array, kind: MediaKind): MediaKeys {
  const expanded = Buffer.from(hkdf(mediaKey, 112, { info: kinds[kind].info }));
  return {
    iv: expanded.subarray(0, 16),
    cipherKey: expanded.subarray(16, 48),
    macKey: expanded.subarray(48, 80),
  };
}

export function uploadPath(kind: MediaKind): string {
  return kinds[kind].path;
}
