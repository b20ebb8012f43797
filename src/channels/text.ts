import { chunkText } from "./text/chunk.ts";
import { whatsappFormat } from "./text/format.ts";

export { chunkText, whatsappFormat };

/** Characters (UTF-16 units) of one WhatsApp text. Source: Meta, Cloud API, text messages. */
export const textLimit = 4096;

/** An agent's Markdown as the texts of one delivery each: formatted for WhatsApp, then split. Blank text gives []. */
export function renderText(markdown: string, limit: number = textLimit): string[] {
  return chunkText(whatsappFormat(markdown), limit);
}
