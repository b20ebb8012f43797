import { renderQr } from "../../channels/whatsapp-web/qr.ts";
import type { Terminal } from "../command.ts";

/** The code as a drawing; where the terminal is narrower, what to do instead: one that wraps cannot be scanned. */
export async function drawnQr(payload: string, terminal: Terminal): Promise<string> {
  const plain = await renderQr(payload, { plain: true });
  const width = [...(plain.split("\n", 1)[0] ?? "")].length;
  const { columns } = terminal;
  if (columns && columns < width) {
    return `The code takes ${width} columns, and this terminal has ${columns}.\nMake it wider, or write the code to an image: revka link --png FILE`;
  }
  return terminal.color ? await renderQr(payload) : plain;
}
