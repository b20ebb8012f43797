import { open } from "node:fs/promises";
import { basename } from "node:path";
import * as v from "valibot";
import { safeFilename } from "../../net/filename.ts";
import { jsonObject } from "../../net/json-object.ts";
import { fileType, multipartFile } from "../../net/multipart.ts";
import { fileFailure, sendFailure } from "../failure.ts";
import { checkMedia, uploadMs } from "../media-limits.ts";
import type { Delivery, DeliveryContent, SendFailure, SendResult } from "../message.ts";
import { call, callTimeoutMs, failed, isUnknown, type WatiClient } from "./api.ts";
import { targetOf } from "./endpoint.ts";
import { optional, text } from "./shapes.ts";

/**
 * Sends one delivery through version 3 of WATI's API. The answer only says that WATI took it. WATI has neither
 * reactions nor edits for API clients, and quotes only in version 1, so a quote is sent as a plain message. Never
 * throws. Source: docs.wati.io/reference/conversations_sendtext, /conversations_sendfile.
 */
export async function sendDelivery(
  client: WatiClient,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<SendResult> {
  const { content, recipient } = delivery;
  const target = targetOf(recipient, client.endpoint.prefix);
  if (target === null) {
    return failed(
      sendFailure("no", "recipient", "WATI reaches single people only, by number or BSUID."),
    );
  }
  switch (content.kind) {
    case "text":
      return post(client, "text", jsonBody({ target, text: content.text }), callTimeoutMs, signal);
    case "media":
      return sendFile(client, target, content, signal);
    case "reaction":
      return failed(
        sendFailure(
          "no",
          "unsupported",
          "WATI offers no reactions: the agent should answer with text.",
        ),
      );
    case "edit":
    case "revoke":
      return failed(
        sendFailure("no", "unsupported", `WATI offers no ${content.kind} of a sent message.`),
      );
  }
}

/**
 * Is sending possible? null when it is. Asks for what needs the same scope family as sending and changes nothing. A
 * question has no side effect, so a lost answer is `hold`; `no` where what answers does not know the question.
 */
export async function probe(client: WatiClient, signal: AbortSignal): Promise<SendFailure | null> {
  const path = "conversations?page_number=1&page_size=1";
  const answer = await call(client, path, { method: "GET" }, callTimeoutMs, signal);
  if (answer.ok) return null;
  const { failure } = answer;
  return { ...failure, retry: isUnknown(failure) ? "no" : "hold" };
}

async function sendFile(
  client: WatiClient,
  target: string,
  content: Extract<DeliveryContent, { kind: "media" }>,
  signal: AbortSignal,
): Promise<SendResult> {
  const file = await open(content.path).catch((error: unknown) => fileFailure(error, "WATI"));
  if ("retry" in file) return failed(file);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return failed(fileFailure(null, "WATI"));
    const problem = checkMedia(content.media, content.mimeType, stat.size);
    if (problem) return failed(problem);
    const name = safeFilename(content.filename ?? basename(content.path), "file");
    // Without a caption a document shows as "untitled". Source: support.wati.io 11463223.
    const caption = content.caption ?? (content.media === "document" ? name : null);
    const form = multipartFile(
      { target, ...(caption ? { caption } : {}) },
      { file, size: stat.size, name, mimeType: fileType(content.mimeType) },
    );
    const timeoutMs = callTimeoutMs + uploadMs(stat.size);
    // `duplex`: Node's fetch wants to hear that a stream is sent before the answer is read.
    const init: RequestInit & { duplex: "half" } = { ...form, duplex: "half" };
    return await post(client, "file", init, timeoutMs, signal);
  } finally {
    await file.close().catch(() => {});
  }
}

const sentShape = jsonObject({
  id: text,
  message: optional(jsonObject({ id: text, whatsappMessageId: text })),
});

async function post(
  client: WatiClient,
  what: "text" | "file",
  init: RequestInit,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<SendResult> {
  const path = `conversations/messages/${what}`;
  const answer = await call(client, path, { ...init, method: "POST" }, timeoutMs, signal);
  if (!answer.ok) return answer;
  const sent = v.safeParse(sentShape, answer.body);
  const { message, id } = sent.success ? sent.output : {};
  return { ok: true, platformId: message?.id ?? message?.whatsappMessageId ?? id ?? null };
}

function jsonBody(value: object): RequestInit {
  return { body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}
