import { readFile, stat } from "node:fs/promises";
import type { TurnAttachment, TurnMessage } from "./agent.ts";

/** The least of the providers' limits for one image: Anthropic's 5 MiB, which count it in base 64. */
const maxImageBytes = (5 * 1024 * 1024 * 3) / 4;
/** Images of one turn that a model is shown, the latest; Groq takes five. */
const maxImages = 4;

export interface TurnImage {
  mediaType: "image/jpeg" | "image/png" | "image/webp" | "image/gif";
  data: Uint8Array;
}

/** By path, the pictures of a turn that a model can be shown. Files that are too large, gone or no picture are left out. */
export async function readImages(messages: TurnMessage[]): Promise<Map<string, TurnImage>> {
  const paths = messages
    .flatMap(({ attachments }) => attachments)
    .flatMap((attachment) => (attachment.path && isPicture(attachment) ? [attachment.path] : []))
    .slice(-maxImages);
  const images = new Map<string, TurnImage>();
  for (const path of paths) {
    const image = await readImage(path);
    if (image) images.set(path, image);
  }
  return images;
}

export function isPicture({ kind }: TurnAttachment): boolean {
  return kind === "image" || kind === "sticker";
}

async function readImage(path: string): Promise<TurnImage | null> {
  try {
    const { size } = await stat(path);
    if (size > maxImageBytes) return null;
    const data = await readFile(path);
    const mediaType = imageType(data);
    return mediaType && { mediaType, data };
  } catch {
    return null;
  }
}

/** What a file is by its first bytes; the sender's word for it is not taken. null where models take no such image. */
function imageType(data: Uint8Array): TurnImage["mediaType"] | null {
  const ascii = (from: number, to: number) => String.fromCharCode(...data.subarray(from, to));
  if (data[0] === 0xff && data[1] === 0xd8 && data[2] === 0xff) return "image/jpeg";
  if (data[0] === 0x89 && ascii(1, 4) === "PNG") return "image/png";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "image/webp";
  if (ascii(0, 4) === "GIF8") return "image/gif";
  return null;
}
