import type { Linking } from "../channel.ts";
import { drawnQr } from "./qr.ts";

/** How long a code typed on the phone is good for. */
export const PAIR_CODE_MS = 160_000;
/** WhatsApp shows the first QR code of a connection for a minute, each further one for 20 s. */
export const FIRST_QR_MS = 60_000;
export const NEXT_QR_MS = 20_000;

/** The characters of a pair code (Crockford's, without 0 and the mistakable). Source: Baileys `bytesToCrockford`. */
const PAIR_CODE = /^[1-9A-HJ-NP-TV-Z]{8}$/;

/** A pair code as the user set it: 8 characters without a dash, in capitals; null where it cannot be one. */
export function customPairCode(configured: string): string | null {
  const code = configured.replace(/[\s-]/g, "").toUpperCase();
  return PAIR_CODE.test(code) ? code : null;
}

/** The digits of a configured number; null where it is none. */
export function pairPhoneDigits(configured: string | undefined): string | null {
  const digits = configured?.replace(/[\s().+-]/g, "") ?? "";
  return /^[1-9]\d{5,19}$/.test(digits) ? digits : null;
}

/** What the person reads at a terminal of so many columns, where it is one. */
export async function linkingText(
  linking: Linking,
  options: { plain?: boolean; columns?: number | undefined } = {},
): Promise<string> {
  if (linking.pairCode !== null) {
    const code = `${linking.pairCode.slice(0, 4)}-${linking.pairCode.slice(4)}`;
    return `Link WhatsApp: on the phone open Settings, Linked devices, Link a device, "Link with phone number instead", and enter ${code}`;
  }
  if (linking.qr === null) return "";
  return `Link WhatsApp: on the phone open Settings, Linked devices, Link a device, and scan\n${await drawnQr(linking.qr, options)}`;
}
