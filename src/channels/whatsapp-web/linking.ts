import { closeSync, openSync, writeSync } from "node:fs";
import type { Linking } from "../channel.ts";

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

/**
 * A QR code for the terminal: two modules a character in half blocks, at most 80 columns, with the quiet zone that
 * scanners need. Dark on light by escape codes unless `plain`.
 */
export async function renderQr(
  payload: string,
  options: { plain?: boolean } = {},
): Promise<string> {
  const QRCode = await loadQrCode();
  const { modules } = QRCode.create(payload, { errorCorrectionLevel: "L" });
  const quiet = modules.size + 2 * 4 <= 80 ? 4 : 1;
  const dark = (row: number, column: number) =>
    row >= 0 &&
    column >= 0 &&
    row < modules.size &&
    column < modules.size &&
    modules.get(row, column) === 1;
  const lines: string[] = [];
  for (let row = -quiet; row < modules.size + quiet; row += 2) {
    let line = "";
    for (let column = -quiet; column < modules.size + quiet; column++) {
      // Light is drawn, dark is left: on the usual dark terminal that is a dark code on a light ground.
      const upper = !dark(row, column);
      const lower = !dark(row + 1, column);
      line += upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }
    lines.push(options.plain ? line : `\u001b[40;97m${line}\u001b[0m`);
  }
  return lines.join("\n");
}

/** Writes the QR code as a PNG file that only its owner may read: whoever has it can link a device. */
export async function renderQrPng(payload: string, path: string): Promise<void> {
  const QRCode = await loadQrCode();
  const png = await QRCode.toBuffer(payload, { type: "png", margin: 4, scale: 8 });
  const file = openSync(path, "w", 0o600);
  try {
    writeSync(file, png);
  } finally {
    closeSync(file);
  }
}

/** What the person at the terminal reads. */
export async function linkingText(
  linking: Linking,
  options: { plain?: boolean } = {},
): Promise<string> {
  if (linking.pairCode !== null) {
    const code = `${linking.pairCode.slice(0, 4)}-${linking.pairCode.slice(4)}`;
    return `Link WhatsApp: on the phone open Settings, Linked devices, Link a device, "Link with phone number instead", and enter ${code}`;
  }
  if (linking.qr === null) return "";
  return `Link WhatsApp: on the phone open Settings, Linked devices, Link a device, and scan\n${await renderQr(linking.qr, options)}`;
}

/** Loaded only where a code is drawn: a linked device never needs it. */
async function loadQrCode() {
  const { default: QRCode } = await import("qrcode");
  return QRCode;
}
