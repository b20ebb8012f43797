import { openSync, readSync, closeSync } from "node:fs";
import type { Variant } from "./variant.ts";

/** Strings of Baileys and libsignal that survive minifying; Revka's own code has none of them. */
export const webMarkers = [
  "Noise_XX_25519_AESGCM_SHA256",
  "WhisperMessageKeys",
  "WhisperRatchet",
  "Over 2000 messages into the future",
] as const;

/** Packages and folders of which nothing may be in a variant. */
const unwantedFiles: Record<Variant, RegExp | null> = {
  default:
    /(^|\/)node_modules\/(@whiskeysockets\/|libsignal\/|whatsapp-rust-bridge\/|protobufjs\/)/,
  "whatsapp-web": null,
};

/** Those of the bundled files that the variant must not hold. Pure. */
export function unwantedIn(variant: Variant, files: readonly string[]): string[] {
  const unwanted = unwantedFiles[variant];
  return unwanted ? files.filter((file) => unwanted.test(file)) : [];
}

/** Which of the markers the file holds, in Latin-1 or UTF-16. */
export function markersIn(file: string, markers: readonly string[] = webMarkers): string[] {
  const found = new Set<string>();
  const forms = markers.flatMap((marker) => [
    { marker, bytes: Buffer.from(marker, "latin1") },
    { marker, bytes: Buffer.from(marker, "utf16le") },
  ]);
  const overlap = Math.max(...forms.map(({ bytes }) => bytes.length));
  const window = Buffer.alloc(4 * 1024 * 1024);
  const descriptor = openSync(file, "r");
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(descriptor, window, kept, window.length - kept, null);
      const part = window.subarray(0, kept + read);
      for (const { marker, bytes } of forms) if (part.includes(bytes)) found.add(marker);
      if (read === 0) return markers.filter((marker) => found.has(marker));
      kept = Math.min(overlap, part.length);
      part.copyWithin(0, part.length - kept);
    }
  } finally {
    closeSync(descriptor);
  }
}
