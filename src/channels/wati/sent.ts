import * as v from "valibot";
import { jsonObject } from "../../net/json-object.ts";
import type { SentLookup } from "../channel.ts";
import { sendFailure } from "../failure.ts";
import type { Delivery, DeliveryContent } from "../message.ts";
import { call, callTimeoutMs, failed, isUnknown, type WatiClient } from "./api.ts";
import { targetOf } from "./endpoint.ts";
import { flag, id, readTimestamp, text, timestamp } from "./shapes.ts";

/** Of the newest messages of a conversation. What is in doubt was sent moments ago, or before the last stop. */
const pageSize = 50;
/** WATI tells its time in whole seconds, and when it took a message in. */
const toleranceMs = 5_000;

const itemShape = jsonObject({
  id,
  whatsapp_message_id: id,
  whatsappMessageId: id,
  local_message_id: id,
  owner: flag,
  type: text,
  text,
  status: text,
  timestamp,
  created: text,
});
const listShape = jsonObject({ message_list: v.array(itemShape) });

/**
 * What WATI has sent to this person since `since` (our clock, Unix ms) that reads as this delivery. A failure with
 * `retry: "no"`: it cannot be asked (no such conversation, a token that may not read). Never throws. Source: version 3,
 * `GET conversations/{target}/messages`, scope conversationsv3:read; the newest message comes first.
 */
export async function findSent(
  client: WatiClient,
  { content, recipient }: Delivery,
  since: number,
  signal: AbortSignal,
): Promise<SentLookup> {
  const target = targetOf(recipient, client.endpoint.prefix);
  if (target === null) return failed(notAsked);
  const query = `page_number=1&page_size=${pageSize}`;
  const path = `conversations/${encodeURIComponent(target)}/messages?${query}`;
  const answer = await call(client, path, { method: "GET" }, callTimeoutMs, signal);
  if (!answer.ok) {
    const { failure } = answer;
    if (failure.code === "403") return failed({ ...failure, retry: "no" });
    return failed(isUnknown(failure) ? notAsked : failure);
  }
  const list = v.safeParse(listShape, answer.body);
  if (!list.success) return failed(notAsked);
  const ahead = answer.at - client.clock.now();
  const from = Math.floor((since + ahead - toleranceMs) / 1000);
  const found = list.output.message_list
    .filter((item) => item.owner === true && !/fail/i.test(item.status ?? ""))
    .filter((item) => readsAs(content, item) && readTimestamp(item, 0) >= from)
    .map((item) =>
      [item.id, item.whatsapp_message_id, item.whatsappMessageId, item.local_message_id].filter(
        (each) => typeof each === "string",
      ),
    );
  return { ok: true, found: found.filter((ids) => ids.length > 0) };
}

const notAsked = sendFailure("no", "not_asked", "WATI does not tell what it has sent.");

function readsAs(content: DeliveryContent, item: v.InferOutput<typeof itemShape>): boolean {
  const type = item.type?.toLowerCase() ?? "";
  if (content.kind === "text") return type === "text" && sameWords(content.text, item.text);
  if (content.kind !== "media") return false;
  const kind = content.media === "voice" ? "audio" : content.media;
  if ((type === "voice" ? "audio" : type) !== kind) return false;
  // The text of a document is its name.
  return !content.caption || content.media === "document" || sameWords(content.caption, item.text);
}

function sameWords(ours: string, theirs: string | null | undefined): boolean {
  const words = (value: string) => value.replace(/\s+/g, " ").trim();
  return words(ours) === words(theirs ?? "");
}
