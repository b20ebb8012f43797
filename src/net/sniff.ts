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

/** What no text has. */
const control = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/;

/** Is this the start of a text? UTF-8 and no control characters, a letter cut off at its end aside. */
export function isText(head: Uint8Array): boolean {
  try {
    return !control.test(new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }));
  } catch {
    return false;
  }
}

/** What bytes without a mark look like: a server's page or error, nothing at all included; other text; or neither. */
export type Looks = "page" | "text" | "bytes";

export function looksOf(head: Uint8Array): Looks {
  // Read as Latin-1, which many a page is written in; in it, the mark of UTF-8 is three letters.
  const letters = Buffer.from(head).toString("latin1");
  if (/^(\xef\xbb\xbf)?\s*([<{[]|$)/.test(letters) && !control.test(letters)) return "page";
  return isText(head) ? "text" : "bytes";
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
  const mimeType = trueMimeType(kind, await sniffMimeType(head), declared, looksOf(head));
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
 * that holds sound alone passes for audio; an office file may look like the archive that it is. Of bytes without a mark
 * the declaration counts: not every sound has one. A page in place of a file is no picture, sound or film, though, nor is
 * SVG, which is text and may hold scripts; and a document is not what always has a mark. `looks`: {@link looksOf} says
 * so. Pure.
 */
export function trueMimeType(
  kind: MediaKind,
  sniffed: string | null,
  declared: string | null,
  looks: Looks = "bytes",
): string | null {
  const said = declared?.split(";")[0]?.trim().toLowerCase() || null;
  if (kind === "document") {
    if (sniffed === null) {
      const unmarked = looks === "bytes" ? "application/octet-stream" : "text/plain";
      return said === null || alwaysMarked.test(said) ? unmarked : said;
    }
    return said !== null && archives.has(sniffed) && isOfficeType(said) ? said : sniffed;
  }
  const family = kind === "sticker" ? "image/" : `${kind}/`;
  const told = sniffed ?? (looks === "page" || said?.startsWith("image/svg") ? null : said);
  if (told?.startsWith(family)) return told;
  return kind === "audio" && sniffed !== null ? (soundContainers.get(sniffed) ?? null) : null;
}

/** What may hold sound alone, and what it is called then. */
const soundContainers = new Map([
  ["video/mp4", "audio/mp4"],
  ["video/3gpp", "audio/3gpp"],
  ["video/3gpp2", "audio/3gpp2"],
  ["video/webm", "audio/webm"],
  ["video/ogg", "audio/ogg"],
  ["application/ogg", "audio/ogg"],
]);
/** What is known by its bytes, so that bytes without a mark are something else. */
const alwaysMarked =
  /^(image\/(?!svg)|audio\/|video\/|application\/(pdf|zip|gzip|msword|epub|vnd\.(rar|ms-|oasis\.|openxml)))/;
const archives = new Set(["application/zip", "application/x-cfb"]);

function isOfficeType(mimeType: string): boolean {
  return /^application\/(vnd\.|msword$|epub\+zip$)/.test(mimeType);
}
