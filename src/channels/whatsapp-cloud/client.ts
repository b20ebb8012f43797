import * as v from "valibot";
import { once } from "../../runtime/once.ts";
import type { Delivery, SendFailure, SendResult } from "../message.ts";
import type { Graph } from "./graph.ts";
import { messageBody } from "./outgoing.ts";

const sentShape = once(() =>
  v.object({
    messages: v.looseTuple([v.object({ id: v.pipe(v.string(), v.nonEmpty()) })]),
  }),
);

/**
 * Sends one delivery: uploads its file first if it has one. The answer only says that Meta took it; what became of it
 * comes as a status that echoes our delivery id. Meta knows no idempotency key. Never throws.
 */
export async function sendMessage(
  graph: Graph,
  phoneNumberId: string,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<SendResult> {
  const { content } = delivery;
  let mediaId: string | null = null;
  if (content.kind === "media") {
    const { uploadMedia } = await import("./media-upload.ts");
    const upload = await uploadMedia(graph, phoneNumberId, content, signal);
    if (!upload.ok) return upload;
    mediaId = upload.mediaId;
  }
  const outgoing = messageBody(delivery, mediaId);
  if (!outgoing.ok) return outgoing;
  const answer = await graph.call({
    method: "POST",
    path: `${encodeURIComponent(phoneNumberId)}/messages`,
    json: outgoing.body,
    answer: sentShape(),
    signal,
  });
  if (!answer.ok) return { ok: false, failure: answer.failure };
  return { ok: true, platformId: answer.value.messages[0].id };
}

const successShape = once(() => v.object({ success: v.literal(true) }));

/**
 * Marks a message and those before it read, and shows typing until the answer or for 25 seconds. Meta has no typing
 * without the mark and no call that ends it. Source: Meta, messages/mark-message-as-read, typing-indicators.
 */
export async function markRead(
  graph: Graph,
  phoneNumberId: string,
  messageId: string,
  typing: boolean,
  signal: AbortSignal,
): Promise<SendFailure | null> {
  const answer = await graph.call({
    method: "POST",
    path: `${encodeURIComponent(phoneNumberId)}/messages`,
    json: {
      messaging_product: "whatsapp",
      status: "read",
      message_id: messageId,
      ...(typing ? { typing_indicator: { type: "text" } } : {}),
    },
    answer: successShape(),
    signal,
  });
  return answer.ok ? null : answer.failure;
}
