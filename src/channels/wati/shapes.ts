import { z } from "zod";

/**
 * A webhook body of WATI, loosely: one flat event. What is not needed is not looked at, and a field of a wrong shape
 * counts as absent, so that it never costs the message. Source: docs.wati.io/reference/webhooks and
 * /message-received-bsuid; the rest are spellings met in the field.
 */

const optional = <T extends z.ZodType>(shape: T) => shape.nullish().catch(null);
const text = optional(z.string());
/** Relays write flags as text or digits; a "true" that is not read would have our own message answered. */
const flag = optional(
  z
    .union([z.boolean(), z.string(), z.number()])
    .transform((value) => /^(true|1)$/i.test(`${value}`.trim())),
);
/** Ids are text, but numbers are seen. */
const id = optional(
  z.union([z.string(), z.number().transform(String)]).pipe(z.string().trim().min(1).max(512)),
);

export const eventShape = z.looseObject({
  eventType: text,
  id,
  whatsappMessageId: id,
  waId: id,
  from: id,
  bsuid: id,
  username: text,
  senderName: text,
  owner: flag,
  fromMe: flag,
  type: text,
  text: optional(z.union([z.string(), z.looseObject({ body: text })])),
  message: optional(z.looseObject({ text })),
  /** An address or a path, for media; seen as an object for locations. */
  data: z.unknown().optional(),
  mediaUrl: text,
  timestamp: optional(z.union([z.string(), z.number()])),
  created: text,
  listReply: optional(z.looseObject({ title: text, id })),
  interactiveButtonReply: optional(z.looseObject({ title: text, id })),
  buttonReply: optional(z.looseObject({ text, payload: text })),
  messageContact: z.unknown().optional(),
  replyContextId: id,
  forwarded: flag,
  frequentlyForwarded: flag,
  statusString: text,
  failedCode: id,
  failedDetail: text,
});

export type WatiEvent = z.output<typeof eventShape>;

/**
 * Unix seconds of an event: its `timestamp`, which is text of Unix seconds (milliseconds and ISO are understood), else
 * `created`, else `now` (Unix ms).
 */
export function readTimestamp(event: WatiEvent, now: number): number {
  for (const raw of [event.timestamp, event.created]) {
    const seconds = secondsOf(raw);
    if (seconds !== null) return seconds;
  }
  return Math.floor(now / 1000);
}

function secondsOf(raw: string | number | null | undefined): number | null {
  if (raw === null || raw === undefined || raw === "") return null;
  const number = Number(raw);
  const ms = Number.isFinite(number)
    ? number > 1e11
      ? number
      : number * 1000
    : Date.parse(String(raw));
  return Number.isFinite(ms) && ms > 0 && ms < 1e14 ? Math.floor(ms / 1000) : null;
}
