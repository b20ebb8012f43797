import * as v from "valibot";
import { jsonObject, number } from "../../net/json-object.ts";

/**
 * A webhook body of WATI, loosely: one flat event. What is not needed is not looked at, and a field of a wrong shape
 * counts as absent, so that it never costs the message. Source: docs.wati.io/reference/webhooks and
 * /message-received-bsuid; the rest are spellings met in the field.
 */

/** null where it is of another shape. */
export const optional = <T extends v.GenericSchema>(shape: T) => v.fallback(v.nullish(shape), null);
export const text = optional(v.string());
/** Relays write flags as text or digits; a "true" that is not read would have our own message answered. */
export const flag = optional(
  v.pipe(
    v.union([v.boolean(), v.string(), number]),
    v.transform((value) => /^(true|1)$/i.test(`${value}`.trim())),
  ),
);
/** Ids are text, but numbers are seen; of large ones several are read as one, so those are none. */
export const id = optional(
  v.pipe(
    v.union([v.string(), v.pipe(number, v.safeInteger(), v.transform(String))]),
    v.trim(),
    v.nonEmpty(),
    v.maxLength(512),
  ),
);

/** Text of Unix seconds, in what both spell `timestamp`. */
export const timestamp = optional(v.union([v.string(), number]));

export const eventShape = jsonObject({
  eventType: text,
  id,
  whatsappMessageId: id,
  /** Digits of the number that the event is for. Source: support.wati.io 11968611. */
  channelPhoneNumber: id,
  waId: id,
  from: id,
  bsuid: id,
  parentBsuid: id,
  username: text,
  senderName: text,
  owner: flag,
  fromMe: flag,
  type: text,
  text: optional(v.union([v.string(), jsonObject({ body: text })])),
  message: optional(jsonObject({ text })),
  /** An address or a path, for media; seen as an object for locations. */
  data: v.optional(v.unknown()),
  mediaUrl: text,
  timestamp,
  created: text,
  listReply: optional(jsonObject({ title: text, id })),
  interactiveButtonReply: optional(jsonObject({ title: text, id })),
  buttonReply: optional(jsonObject({ text, payload: text })),
  messageContact: v.optional(v.unknown()),
  replyContextId: id,
  forwarded: flag,
  frequentlyForwarded: flag,
  statusString: text,
  failedCode: id,
  failedDetail: text,
});

export type WatiEvent = v.InferOutput<typeof eventShape>;

/**
 * Unix seconds of an event: its `timestamp`, which is text of Unix seconds (milliseconds and ISO are understood), else
 * `created`, else `now` (Unix ms).
 */
export function readTimestamp(
  event: Pick<WatiEvent, "timestamp" | "created">,
  now: number,
): number {
  for (const raw of [event.timestamp, event.created]) {
    const seconds = secondsOf(raw);
    if (seconds !== null) return seconds;
  }
  return Math.floor(now / 1000);
}

function secondsOf(raw: string | number | null | undefined): number | null {
  const number = Number(raw);
  const ms = Number.isFinite(number)
    ? number > 1e11
      ? number
      : number * 1000
    : Date.parse(String(raw));
  return ms > 0 && ms < 1e14 ? Math.floor(ms / 1000) : null;
}
