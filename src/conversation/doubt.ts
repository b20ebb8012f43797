import type { Channel } from "../channels/channel.ts";
import type { Delivery, SendFailure } from "../channels/message.ts";
import type { ConversationStore } from "../store/contract.ts";

/** What became of a send whose answer is missing. */
export type Resolved =
  | { kind: "sent"; platformId: string }
  | { kind: "not-sent" }
  /** The platform cannot be asked, or will not tell: it may have said why. */
  | { kind: "unknown"; failure: SendFailure | null }
  /** It did not answer. */
  | { kind: "later"; failure: SendFailure };

/**
 * Asks the platform for a delivery that it may have sent since `since` (Unix ms). What it has sent of other deliveries,
 * or of a try of this one that failed, is known by its id and is not this one, though it may read the same.
 */
export async function resolve(
  channel: Channel,
  store: ConversationStore,
  delivery: Delivery,
  since: number,
  signal: AbortSignal,
): Promise<Resolved> {
  const answer = await channel.findSent?.(delivery, since, signal);
  if (!answer) return { kind: "unknown", failure: null };
  if (!answer.ok) {
    const { failure } = answer;
    return { kind: failure.retry === "no" ? "unknown" : "later", failure };
  }
  for (const [platformId, ...others] of answer.found) {
    if (platformId === undefined) continue;
    const known = [platformId, ...others].some((id) => store.knowsSend(id, delivery.id));
    if (!known) return { kind: "sent", platformId };
  }
  return { kind: "not-sent" };
}
