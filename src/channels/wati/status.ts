import { harmless, sendFailure } from "../failure.ts";
import type { DeliveryState, InboundEvent } from "../message.ts";
import { readTimestamp, type WatiEvent } from "./shapes.ts";

/** Events that say what became of something sent. Source: docs.wati.io/reference/webhooks and the pages of each. */
const states: ReadonlyMap<string, DeliveryState> = new Map([
  ["sessionMessageSent", "sent"],
  ["sentMessageDELIVERED", "delivered"],
  ["sentMessageREAD", "read"],
  ["sentMessageREPLIED", "read"],
  ["sentMessagePLAYED", "played"],
  ["sessionMessageFailed", "failed"],
]);

/**
 * What an event says of our own sending; null where it is no such event, [] where it names no message. WATI's own id
 * and WhatsApp's may both be what a send was answered with, so each is reported.
 */
export function readStatus(name: string, event: WatiEvent, now: number): InboundEvent[] | null {
  const state = states.get(name);
  if (state === undefined) return null;
  const ids = [event.id, event.whatsappMessageId].filter((id) => id !== null && id !== undefined);
  return [...new Set(ids)].map((platformId) => ({
    kind: "status",
    status: {
      platformId,
      deliveryId: null,
      state,
      timestamp: readTimestamp(event, now),
      failure: state === "failed" ? failureOf(event) : null,
    },
  }));
}

function failureOf(event: WatiEvent) {
  const code =
    event.failedCode && /^[\w-]{1,40}$/.test(event.failedCode) ? event.failedCode : "failed";
  const words = harmless(event.failedDetail ?? "");
  return sendFailure("no", code, `WhatsApp could not deliver it${words ? `: ${words}` : "."}`);
}
