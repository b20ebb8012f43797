import { renameSync, rmSync } from "node:fs";
import { writePrivateFile } from "./private-file.ts";

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

/** The code as a drawing; where the terminal is narrower, what to do instead: one that wraps cannot be scanned. */
export async function drawnQr(
  payload: string,
  { plain = false, columns }: { plain?: boolean; columns?: number | undefined },
): Promise<string> {
  const drawing = await renderQr(payload, { plain: true });
  const width = [...(drawing.split("\n", 1)[0] ?? "")].length;
  if (columns && columns < width) {
    return `The code takes ${width} columns, and this terminal has ${columns}.\nMake it wider, or write the code to an image: revka link --png FILE`;
  }
  return plain ? drawing : await renderQr(payload);
}

/**
 * Writes the QR code as a PNG file that only its owner may read: whoever has it can link a device. A file that is there
 * is replaced at once, so that a viewer never sees half of it.
 */
export async function renderQrPng(payload: string, path: string): Promise<void> {
  const QRCode = await loadQrCode();
  const png = await QRCode.toBuffer(payload, { type: "png", margin: 4, scale: 8 });
  const part = `${path}.part`;
  rmSync(part, { force: true });
  writePrivateFile(part, png);
  try {
    renameSync(part, path);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Loaded only where a code is drawn: a linked device never needs it. */
async function loadQrCode() {
  const { default: QRCode } = await import("qrcode");
  return QRCode;
}
