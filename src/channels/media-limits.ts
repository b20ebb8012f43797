import { sendFailure } from "./failure.ts";
import type { DeliveryContent, SendFailure } from "./message.ts";

export type OutboundMedia = Extract<DeliveryContent, { kind: "media" }>["media"];

interface Limit {
  maxBytes: number;
  /** Media types without parameters; null takes any. */
  types: string[] | null;
}

const mib = 1024 * 1024;

const audio: Limit = {
  maxBytes: 16 * mib,
  types: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
};

/** What Meta takes, from its own API and from who resells it. Source: Meta, business-phone-numbers/media, "Supported media types". */
const limits: Record<OutboundMedia, Limit> = {
  audio,
  voice: audio,
  image: { maxBytes: 5 * mib, types: ["image/jpeg", "image/png"] },
  video: { maxBytes: 16 * mib, types: ["video/mp4", "video/3gpp"] },
  document: { maxBytes: 100 * mib, types: null },
  sticker: { maxBytes: 500 * 1024, types: ["image/webp"] },
};

/** The slowest line on which a file still gets through, bytes a second. */
const slowestBytesPerSecond = 256 * 1024;

/** How long a file of this many bytes may take to be sent, ms: seven minutes for 100 MiB. */
export function uploadMs(size: number): number {
  return (size / slowestBytesPerSecond) * 1000;
}

/** `audio/ogg; codecs=opus` → `audio/ogg`. */
export function bareType(mimeType: string): string {
  return (mimeType.split(";")[0] ?? "").trim().toLowerCase();
}

/** Why Meta would refuse this file, or null. Asked before a byte is sent. `size` in bytes. */
export function checkMedia(
  media: OutboundMedia,
  mimeType: string,
  size: number,
): SendFailure | null {
  const { maxBytes, types } = limits[media];
  if (size === 0) return sendFailure("no", "media_empty", `The ${media} file is empty.`);
  if (size > maxBytes) {
    const limit = maxBytes >= mib ? `${maxBytes / mib} MB` : `${maxBytes / 1024} KB`;
    const have = (size / mib).toFixed(1);
    return sendFailure(
      "no",
      "media_too_large",
      `The ${media} file has ${have} MB, WhatsApp takes at most ${limit}: make it smaller or send it as a document.`,
    );
  }
  const type = bareType(mimeType);
  if (types && !types.includes(type)) {
    return sendFailure(
      "no",
      "media_type",
      `WhatsApp takes no ${type || "untyped"} as ${media}, only ${types.join(", ")}: convert it or send it as a document.`,
    );
  }
  return null;
}
