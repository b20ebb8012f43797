import { randomBytes } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { extname } from "node:path";
import { z } from "zod";
import { sendFailure } from "../failure.ts";
import type { SendFailure } from "../message.ts";
import { callTimeoutMs, type Graph } from "./graph.ts";
import { bareType, checkMedia, type OutboundMedia } from "./media-limits.ts";

/** The slowest line on which a file still gets through, bytes a second: 100 MiB may take 7 minutes. */
const slowestBytesPerSecond = 256 * 1024;

const readBytes = 64 * 1024;

const uploaded = z.looseObject({ id: z.union([z.string().min(1), z.number().transform(String)]) });

export interface Upload {
  media: OutboundMedia;
  /** Absolute. */
  path: string;
  mimeType: string;
}

export type UploadResult = { ok: true; mediaId: string } | { ok: false; failure: SendFailure };

/**
 * Uploads a file as it is read, never whole in memory; Meta keeps it 30 days. What Meta would refuse is refused before.
 * A failure here is never ambiguous for the message, which was not sent. Source: Meta, media, "Upload media".
 */
export async function uploadMedia(
  graph: Graph,
  phoneNumberId: string,
  upload: Upload,
  signal: AbortSignal,
): Promise<UploadResult> {
  const file = await open(upload.path).catch(() => null);
  if (!file) {
    return refused(
      sendFailure("no", "media_missing", "The file to send does not exist or cannot be read."),
    );
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile())
      return refused(sendFailure("no", "media_missing", "What should be sent is not a file."));
    const problem = checkMedia(upload.media, upload.mimeType, stat.size);
    if (problem) return refused(problem);
    const form = multipart(file, stat.size, upload);
    const answer = await graph.call({
      method: "POST",
      path: `${encodeURIComponent(phoneNumberId)}/media`,
      stream: form,
      answer: uploaded,
      timeoutMs: callTimeoutMs + (stat.size / slowestBytesPerSecond) * 1000,
      signal,
    });
    if (answer.ok) return { ok: true, mediaId: answer.value.id };
    const { failure } = answer;
    return refused(failure.retry === "ambiguous" ? { ...failure, retry: "backoff" } : failure);
  } finally {
    await file.close().catch(() => {});
  }
}

function refused(failure: SendFailure): UploadResult {
  return { ok: false, failure };
}

/** Only its ending tells Meta anything; the name that people see travels in the message. */
function uploadName(path: string): string {
  const extension = /^\.[a-z0-9]{1,8}$/i.exec(extname(path))?.[0] ?? "";
  return `file${extension.toLowerCase()}`;
}

/** A multipart body of known length (RFC 7578), so that no proxy meets a chunked upload. */
function multipart(
  file: FileHandle,
  size: number,
  { path, mimeType }: Upload,
): { body: ReadableStream<Uint8Array>; headers: Record<string, string> } {
  const boundary = `revka-${randomBytes(16).toString("hex")}`;
  const type = /^[\w.+-]+\/[\w.+-]+$/.test(bareType(mimeType))
    ? bareType(mimeType)
    : "application/octet-stream";
  const field = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const head = new TextEncoder().encode(
    `${field("messaging_product", "whatsapp")}${field("type", type)}--${boundary}\r\n` +
      `Content-Disposition: form-data; name="file"; filename="${uploadName(path)}"\r\nContent-Type: ${type}\r\n\r\n`,
  );
  const tail = new TextEncoder().encode(`\r\n--${boundary}--\r\n`);
  return {
    body: concatenate(head, file, size, tail),
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(head.length + size + tail.length),
    },
  };
}

function concatenate(
  head: Uint8Array,
  file: FileHandle,
  size: number,
  tail: Uint8Array,
): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(head);
      },
      async pull(controller) {
        const wanted = Math.min(readBytes, size - position);
        const { bytesRead, buffer } = await file.read(new Uint8Array(wanted), 0, wanted, position);
        if (bytesRead === 0) throw new Error("the file became shorter while it was sent");
        position += bytesRead;
        controller.enqueue(buffer.subarray(0, bytesRead));
        if (position < size) return;
        controller.enqueue(tail);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
