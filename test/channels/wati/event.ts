import type { Message } from "../../../src/channels/message.ts";
import { parseWebhook } from "../../../src/channels/wati/payload.ts";

export const now = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A message event of the documented shape, changed. */
export const event = (more: object = {}) => ({
  id: "69282478274a880fe782b2d9",
  created: "2025-11-27T10:14:16.6268572Z",
  whatsappMessageId: "wamid.ONE",
  conversationId: "68c8d56157578adb12ada249",
  ticketId: "69280a6d6244a6d9b9b486e9",
  text: "hello",
  type: "text",
  data: null,
  timestamp: "1764238453",
  owner: false,
  eventType: "message",
  statusString: "SENT",
  waId: "15550001111",
  senderName: "Ada",
  replyContextId: "",
  forwarded: false,
  frequentlyForwarded: false,
  ...more,
});

export function messages(body: unknown): Message[] {
  return parseWebhook(body, now).flatMap((it) => (it.kind === "message" ? [it.message] : []));
}

export function only(body: unknown): Message {
  const found = messages(body);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} messages`);
  return found[0];
}
