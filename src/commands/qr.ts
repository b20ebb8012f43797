import { toString } from "qrcode";

/**
 * A QR code as terminal lines of half blocks, 61 columns wide for what WhatsApp Web shows. With colour, black on white
 * whatever the terminal's theme; without, dark modules are blocks, which a dark theme shows inverted and phones still
 * read.
 */
export async function drawQr(payload: string, color: boolean): Promise<string> {
  const code = await toString(payload, { type: "utf8", errorCorrectionLevel: "L", margin: 2 });
  if (!color) return `${code}\n`;
  return `${code
    .split("\n")
    .map((line) => `\u001b[30;107m${line}\u001b[0m`)
    .join("\n")}\n`;
}
