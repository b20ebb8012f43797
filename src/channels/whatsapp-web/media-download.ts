import { createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { DownloadFailure } from "../../net/download.ts";
import type { Fetch } from "../../net/fetch.ts";
import { networkErrorCode } from "../../net/network-error.ts";
import type { MediaStream } from "../channel.ts";
import type { MediaReference } from "../message.ts";
import { type FileKind, MAC_BYTES, mediaKeys } from "./media-keys.ts";

const DEFAULT_HOST = "mmg.whatsapp.net";
/** Named by senders who know the path alone (stickers mostly): no file lies there, and the name does not resolve. */
const NO_HOST = "web.whatsapp.net";
const BLOCK = 16;

const sourceSchema = v.object({
  kind: v.picklist(["image", "video", "audio", "document", "sticker"]),
  url: v.nullable(v.string()),
  directPath: v.nullable(v.string()),
  mediaKey: v.string(),
  fileEncSha256: v.nullable(v.string()),
});

/** A file on WhatsApp's servers; keys and hashes are base64. */
export interface EncryptedFile {
  kind: FileKind;
  url: string | null;
  directPath: string | null;
  mediaKey: string;
  fileEncSha256: string | null;
}

/** What the media servers say of a file that they hold no longer, or by an address that has run out (403). */
const GONE = new Set([403, 404, 410]);

/** The file cannot be had; the message says why. */
export class MediaUnavailable extends Error {
  override readonly name = "MediaUnavailable";
  constructor(
    message: string,
    /** Uploaded again, it could be had by another address. */
    readonly gone = false,
  ) {
    super(message);
  }
}

export interface DownloadOptions {
  fetch: Fetch;
  signal: AbortSignal;
  /** Media hosts the server named, beside WhatsApp's own. */
  hosts: string[];
}

/** Opens a file of an inbound message, as {@link openFile}. */
export async function openDownload(
  media: MediaReference,
  options: DownloadOptions,
): Promise<MediaStream> {
  const source = v.safeParse(sourceSchema, media.source);
  if (!source.success) throw new MediaUnavailable("the message does not say where its file is");
  return { body: await openFile(source.output, options), mimeType: media.mimeType };
}

/**
 * Opens a file: fetched by the channel's own fetch, deciphered as it comes. The stream fails at its end where MAC or
 * hash are wrong. Only WhatsApp's hosts are asked: the address was written by the sender.
 */
export async function openFile(
  file: EncryptedFile,
  { fetch, signal, hosts }: DownloadOptions,
): Promise<ReadableStream<Uint8Array>> {
  const { kind, mediaKey, fileEncSha256 } = file;
  const url = addressOf(file, hosts);
  const response = await fetch(url, {
    headers: { origin: "https://web.whatsapp.com" },
    redirect: "error",
    signal,
  }).catch((error: unknown) => {
    throw brokenOff(error, signal);
  });
  const { status, body } = response;
  if (!response.ok || !body) {
    await body?.cancel().catch(() => {});
    const why = `WhatsApp's media server answered ${status}`;
    if (status >= 500) throw new DownloadFailure("status", why, status);
    const dropped = status === 404 || status === 410;
    throw new MediaUnavailable(
      dropped ? `WhatsApp no longer has the file (${status})` : why,
      GONE.has(status),
    );
  }
  const keys = mediaKeys(Buffer.from(mediaKey, "base64"), kind);
  const hash = fileEncSha256 === null ? null : Buffer.from(fileEncSha256, "base64");
  return asItComes(body, signal).pipeThrough(decipher(keys, hash));
}

/** The same bytes; where they break off, they say so as other downloads do. */
function asItComes(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(brokenOff(error, signal));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function brokenOff(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const code = networkErrorCode(error);
  return new DownloadFailure("network", `WhatsApp's media server could not be read: ${code}`);
}

/** The address of a file; throws {@link MediaUnavailable} where it would lead to anyone but WhatsApp. */
export function addressOf(
  { url, directPath }: { url: string | null; directPath: string | null },
  hosts: string[],
): URL {
  const given = url && URL.canParse(url) ? new URL(url) : null;
  const host = given && isMediaHost(given, hosts) ? given.host : (hosts[0] ?? DEFAULT_HOST);
  if (directPath?.startsWith("/") && !directPath.startsWith("//")) {
    const address = new URL(`https://${host}${directPath}`);
    if (isMediaHost(address, hosts)) return address;
  }
  if (given && isMediaHost(given, hosts)) return given;
  throw new MediaUnavailable("the file does not lie with WhatsApp");
}

function isMediaHost(url: URL, hosts: string[]): boolean {
  if (url.protocol !== "https:" || url.username || url.password) return false;
  if (url.hostname === NO_HOST) return false;
  if (hosts.includes(url.host)) return true;
  return url.port === "" && /(^|\.)whatsapp\.net$/.test(url.hostname);
}

function decipher(
  { iv, cipherKey, macKey }: ReturnType<typeof mediaKeys>,
  expectedHash: Buffer | null,
): TransformStream<Uint8Array, Uint8Array> {
  const cipher = createDecipheriv("aes-256-cbc", cipherKey, iv);
  const mac = createHmac("sha256", macKey).update(iv);
  const hash = createHash("sha256");
  let held: Buffer = Buffer.alloc(0);
  return new TransformStream({
    transform(chunk, controller) {
      hash.update(chunk);
      const bytes = Buffer.concat([held, chunk]);
      // The MAC stands behind the last block: never decipher what might be it.
      const ready = Math.max(0, Math.floor((bytes.length - MAC_BYTES) / BLOCK) * BLOCK);
      const ciphertext = bytes.subarray(0, ready);
      held = bytes.subarray(ready);
      if (ready === 0) return;
      mac.update(ciphertext);
      controller.enqueue(new Uint8Array(cipher.update(ciphertext)));
    },
    flush(controller) {
      if (held.length !== MAC_BYTES) {
        throw new DownloadFailure("truncated", "the file is cut off");
      }
      const genuine =
        timingSafeEqual(mac.digest().subarray(0, MAC_BYTES), held) &&
        (expectedHash === null || hash.digest().equals(expectedHash));
      if (!genuine) throw new MediaUnavailable("the file is not what its sender sent");
      controller.enqueue(new Uint8Array(cipher.final()));
    },
  });
}
