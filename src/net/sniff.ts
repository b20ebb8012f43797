import type { MediaKind } from "../channels/message.ts";
import { DownloadFailure } from "./download.ts";

/** Bytes from the start that tell what a file is (what the `file-type` package asks for). */
const headBytes = 4100;

/** What the bytes are by their own mark (`image/jpeg`, `audio/ogg; codecs=opus`, …); null where they carry none. */
export async function sniffMimeType(head: Uint8Array): Promise<string | null> {
  if (head.length === 0) return null;
  const { fileTypeFromBuffer } = await import("file-type");
  const known = (await fileTypeFromBuffer(head).catch(() => undefined))?.mime;
  // Readers look for this mark in the first kilobyte, since some programs write something before it.
  const pdf = Buffer.from(head.subarray(0, 1024)).includes("%PDF-");
  return known ?? (pdf ? "application/pdf" : null);
}

/** Is this the start of a text? UTF-8 and no control characters, a letter cut off at its end aside. */
export function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return !/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text);
  } catch {
    return false;
  }
}

/**
 * Looks at the start of a stream and hands on all of it. Throws {@link DownloadFailure} `media_type` where the bytes
 * are not of `kind` (an error page in place of a picture), having cancelled the stream; and what the stream throws.
 */
export async function sniffStream(
  stream: ReadableStream<Uint8Array>,
  kind: MediaKind,
  declared: string | null,
): Promise<{ body: ReadableStream<Uint8Array>; mimeType: string }> {
  const reader = stream.getReader();
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < headBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    held.push(value);
    length += value.length;
  }
  const head = Buffer.concat(held).subarray(0, headBytes);
  const mimeType = trueMimeType(kind, await sniffMimeType(head), declared, isText(head));
  if (mimeType === null) {
    reader.cancel().catch(() => {});
    throw new DownloadFailure("media_type", `the file is not of kind ${kind}`);
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const first = held.shift();
        if (first) return controller.enqueue(first);
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { body, mimeType };
}

/**
 * The type to believe: the bytes' own over what was declared, null where a picture, sound or film is none. A container
 * that holds sound alone passes for audio; an office file may look like the archive that it is; text has no mark, so
 * there the declaration counts, unless it names what always has one. `text`: {@link isText} says so. Pure.
 */
export function trueMimeType(
  kind: MediaKind,
  sniffed: string | null,
  declared: string | null,
  text: boolean = false,
): string | null {
  const said = declared?.split(";")[0]?.trim().toLowerCase() || null;
  switch (kind) {
    case "image":
    case "sticker":
      return sniffed?.startsWith("image/") ? sniffed : null;
    case "video":
      return sniffed?.startsWith("video/") ? sniffed : null;
    case "audio":
      if (sniffed?.startsWith("audio/")) return sniffed;
      return sniffed !== null && soundContainers.has(sniffed)
        ? sniffed.replace("video/", "audio/")
        : null;
    case "document":
      if (sniffed === null) {
        const unmarked = text ? "text/plain" : "application/octet-stream";
        return said === null || alwaysMarked.test(said) ? unmarked : said;
      }
      return said !== null && archives.has(sniffed) && isOfficeType(said) ? said : sniffed;
  }
}

const soundContainers = new Set([
  "video/mp4",
  "video/3gpp",
  "video/3gpp2",
  "video/webm",
  "video/ogg",
]);
/** What is known by its bytes, so that bytes without a mark are something else. */
const alwaysMarked =
  /^(image\/(?!svg)|audio\/|video\/|application\/(pdf|zip|gzip|msword|epub|vnd\.(rar|ms-|oasis\.|openxml)))/;
const archives = new Set(["application/zip", "application/x-cfb"]);

function isOfficeType(mimeType: string): boolean {
  return /^application\/(vnd\.|msword$|epub\+zip$)/.test(mimeType);
}
