import type { Channel } from "../channels/channel.ts";
import { sendFailure } from "../channels/failure.ts";
import type { Delivery, DeliveryContent, SendResult } from "../channels/message.ts";
import { newId } from "../runtime/ids.ts";
import type { ChatId, NewDelivery, StoredChat, StoredDelivery } from "../store/contract.ts";
import type { Logger } from "../telemetry/log.ts";

/** A delivery to be stored at `now`, in Unix milliseconds: ids of one turn sort as they were made. */
export function toDelivery(content: DeliveryContent, now: number): NewDelivery {
  return { id: newId(now), content };
}

/** A delivery as the store has it when it was just added, at `now` in Unix milliseconds. */
export function newDelivery(
  chat: ChatId,
  { id, content }: NewDelivery,
  now: number,
): StoredDelivery {
  return {
    id,
    chat,
    state: "pending",
    content,
    attempts: 0,
    unanswered: 0,
    nextAt: 0,
    platformId: null,
    status: null,
    code: null,
    hint: null,
    createdAt: now,
    updatedAt: now,
  };
}

/** A delivery as its channel sends it. */
export function outgoing({ chat, recipient }: StoredChat, delivery: StoredDelivery): Delivery {
  const { id, content } = delivery;
  return { id, chat, recipient, content };
}

/** One try: what the platform said of it, or what became of it instead. Never rejects. */
export async function answerOf(
  channel: Channel,
  delivery: StoredDelivery,
  out: Delivery,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<SendResult> {
  if (delivery.state === "sending") {
    log.warn(
      { channel: channel.name, delivery: delivery.id, repeat: channel.repeat },
      channel.repeat === "ask"
        ? "sending again without knowing whether the first try arrived: it may arrive twice"
        : "sending again: the first try was not confirmed",
    );
  }
  try {
    return await channel.send(out, signal);
  } catch (error) {
    if (signal.aborted) return { ok: false, failure: cutOff };
    log.error(
      { channel: channel.name, delivery: delivery.id, error: errorName(error) },
      "sending failed unexpectedly",
    );
    return {
      ok: false,
      failure: {
        retry: "ambiguous",
        afterMs: null,
        code: "internal",
        hint: "Revka met an unexpected error while sending; please report it.",
      },
    };
  }
}

const cutOff = sendFailure("ambiguous", "stopped", "The daemon was stopped while it was sent.");

function errorName(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
}
