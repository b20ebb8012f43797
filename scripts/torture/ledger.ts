/** One message of a customer, and what the sender of its webhook saw. Times of one monotonic clock, ms. */
export interface WrittenMessage {
  /** The platform's id. */
  id: string;
  /** Unique; the agent answers with it. */
  text: string;
  /** The customer's number in digits. */
  chat: string;
  /** When its webhook was first posted. */
  postedAt: number;
  /** When it was answered 200; null where that never happened. */
  acknowledgedAt: number | null;
  /** Place within its webhook. */
  place: number;
  /** Number of its webhook. */
  webhook: number;
}

/** A message that the platform accepted from the daemon, in the order of acceptance. */
export interface AcceptedSend {
  chat: string;
  text: string | null;
  /** The daemon's delivery id. */
  deliveryId: string | null;
}

export interface Verdict {
  messages: number;
  acknowledged: number;
  /** Acknowledged and never answered. */
  lost: string[];
  /** Answered by more than one delivery. */
  answeredTwice: string[];
  /** Answered before an earlier one of the chat: one acknowledged before this one was first posted, or before it in its body. */
  outOfOrder: string[];
  /** Answered in another order than the store took them in. */
  againstStoredOrder: string[];
  /** Deliveries that the platform accepted more than once. */
  doubled: string[];
  /** Sends that answer no message. */
  foreign: number;
}

/** `stored` are the platform ids of each chat's messages in the order of the store, where it was read. */
export function judge(
  written: readonly WrittenMessage[],
  sends: readonly AcceptedSend[],
  stored: ReadonlyMap<string, readonly string[]>,
): Verdict {
  const byText = new Map(written.map((message) => [message.text, message]));
  const answers = new Map<string, { first: number; deliveries: Set<string | null> }>();
  const times = new Map<string, number>();
  let foreign = 0;
  sends.forEach((send, index) => {
    const message = byText.get(send.text ?? "");
    if (!message || message.chat !== send.chat) {
      foreign++;
      return;
    }
    const known = answers.get(message.id) ?? { first: index, deliveries: new Set() };
    known.deliveries.add(send.deliveryId);
    answers.set(message.id, known);
    const id = send.deliveryId ?? "";
    times.set(id, (times.get(id) ?? 0) + 1);
  });
  const acknowledged = written.filter((message) => message.acknowledgedAt !== null);
  const place = (id: string) => answers.get(id)?.first;
  const overtook = (later: string, earlier = "") =>
    (place(later) ?? Number.POSITIVE_INFINITY) < (place(earlier) ?? -1);
  return {
    messages: written.length,
    acknowledged: acknowledged.length,
    lost: acknowledged.filter(({ id }) => !answers.has(id)).map(({ id }) => id),
    answeredTwice: [...answers]
      .filter(([, { deliveries }]) => deliveries.size > 1)
      .map(([id]) => id),
    outOfOrder: byChat(acknowledged).flatMap((messages) =>
      messages
        .filter((later) =>
          messages.some((earlier) => came(earlier, later) && overtook(later.id, earlier.id)),
        )
        .map(({ id }) => id),
    ),
    againstStoredOrder: [...stored.values()].flatMap((ids) =>
      ids.filter((id, index) => overtook(id, ids[index - 1])),
    ),
    doubled: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    foreign,
  };
}

/** Did the daemon know of `earlier` before it could know of `later`? */
function came(earlier: WrittenMessage, later: WrittenMessage): boolean {
  if (earlier.webhook === later.webhook) return earlier.place < later.place;
  return earlier.acknowledgedAt !== null && earlier.acknowledgedAt < later.postedAt;
}

function byChat(messages: readonly WrittenMessage[]): WrittenMessage[][] {
  const chats = new Map<string, WrittenMessage[]>();
  for (const message of messages) {
    const known = chats.get(message.chat);
    if (known) known.push(message);
    else chats.set(message.chat, [message]);
  }
  return [...chats.values()];
}
