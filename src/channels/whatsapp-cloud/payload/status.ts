import * as v from "valibot";
import type { DeliveryState, SendFailure, StatusUpdate } from "../../message.ts";
import { classifyGraphError } from "../failure.ts";
import { sendFailure } from "../../failure.ts";
import { errorShape, readTimestamp, statusShape } from "./shapes.ts";

const states: ReadonlySet<string> = new Set<DeliveryState>([
  "sent",
  "delivered",
  "read",
  "played",
  "failed",
]);

function isState(status: string): status is DeliveryState {
  return states.has(status);
}

/** One item of `statuses`; a string names why it is none. `now` in Unix ms. */
export function readStatus(
  raw: unknown,
  now: number,
): StatusUpdate | "malformed" | "unknown_status" {
  const parsed = v.safeParse(statusShape(), raw);
  if (!parsed.success) return "malformed";
  const { id, status, timestamp, biz_opaque_callback_data: deliveryId, errors } = parsed.output;
  if (!isState(status)) return "unknown_status";
  const update = {
    platformId: id,
    deliveryId: deliveryId || null,
    timestamp: readTimestamp(timestamp, now),
  };
  if (status !== "failed") return { ...update, state: status, failure: null };
  const failure = readFailure(errors);
  // That one person of a group did not get it says that Meta took the message; trouble of the account concerns all.
  return failure.retry !== "hold" && namesParticipant(parsed.output)
    ? { ...update, state: "sent", failure: null }
    : { ...update, state: "failed", failure };
}

/** Of a group, Meta tells by person what became of a message; its pages spell the key in two ways. */
function namesParticipant(status: v.InferOutput<ReturnType<typeof statusShape>>): boolean {
  return Boolean(
    status.recipient_participant_id ||
    status.participant_recipient_id ||
    status.recipient_participant_user_id ||
    status.recipient_participant_parent_user_id,
  );
}

function readFailure(errors: unknown[] | undefined): SendFailure {
  for (const item of errors ?? []) {
    const parsed = v.safeParse(errorShape(), item);
    if (parsed.success) return classifyGraphError(parsed.output);
  }
  return sendFailure("no", "failed", "WhatsApp says that the message failed, without a reason.");
}
