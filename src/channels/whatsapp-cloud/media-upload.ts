import { open } from "node:fs/promises";
import { extname } from "node:path";
import * as v from "valibot";
import { once } from "../../runtime/once.ts";
import { number } from "../../net/json-object.ts";
import { fileType, multipartFile } from "../../net/multipart.ts";
import { fileFailure, sendFailure } from "../failure.ts";
import type { SendFailure } from "../message.ts";
import { callTimeoutMs, type Graph } from "./graph.ts";
import { checkMedia, uploadMs, type OutboundMedia } from "../media-limits.ts";

const uploaded = once(() =>
  v.object({
    id: v.union([v.pipe(v.string(), v.nonEmpty()), v.pipe(number, v.transform(String))]),
  }),
);

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
  const file = await open(upload.path).catch((error: unknown) =>
    fileFailure(error, "Meta's Graph API"),
  );
  if ("retry" in file) return refused(file);
  try {
    const stat = await file.stat();
    if (!stat.isFile())
      return refused(sendFailure("no", "media_missing", "What should be sent is not a file."));
    const problem = checkMedia(upload.media, upload.mimeType, stat.size);
    if (problem) return refused(problem);
    const form = multipartFile(
      { messaging_product: "whatsapp", type: fileType(upload.mimeType) },
      { file, size: stat.size, name: uploadName(upload.path), mimeType: fileType(upload.mimeType) },
    );
    const answer = await graph.call({
      method: "POST",
      path: `${encodeURIComponent(phoneNumberId)}/media`,
      stream: form,
      answer: uploaded(),
      timeoutMs: callTimeoutMs + uploadMs(stat.size),
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
