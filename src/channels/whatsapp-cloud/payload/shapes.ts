import { z } from "zod";

/**
 * The outside of a webhook body, loosely: what is not needed is not looked at, and a peripheral field of a wrong shape
 * counts as absent, so that it never costs the message. Source: Meta, webhooks reference; Graph API v26.0.
 */

const longestText = 65_536;
const longestId = 512;

export const optional = <T extends z.ZodType>(shape: T) => shape.optional().catch(undefined);

// Every field of every body comes through these, so they are plain functions: a transform costs a tenth of a union
// with a catch.

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= longestText ? value : undefined;
}

/** Ids are text, but some senders write them as numbers. */
function readId(value: unknown): string | undefined {
  const text = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  const id = typeof text === "string" ? text.trim() : "";
  return id.length > 0 && id.length <= longestId ? id : undefined;
}

export const optionalId = z.transform(readId);
export const optionalText = z.transform(readText);
const list = z.custom<unknown[]>(Array.isArray);
const optionalList = z.transform((value) => (Array.isArray(value) ? asUnknowns(value) : undefined));
const id = optionalId.pipe(z.string());

function asUnknowns(value: unknown[]): unknown[] {
  return value;
}

export const bodyShape = z.object({
  object: z.literal("whatsapp_business_account").optional(),
  entry: list,
});

export const entryShape = z.object({ changes: list });

export const changeShape = z.object({ field: optionalText, value: z.unknown() });

export const metadataShape = z.object({
  phone_number_id: optionalId,
  display_phone_number: optionalId,
});

export const valueShape = z.object({
  metadata: optional(metadataShape),
  contacts: optionalList,
  messages: z.unknown().optional(),
  statuses: z.unknown().optional(),
  message_echoes: z.unknown().optional(),
  calls: z.unknown().optional(),
  errors: z.unknown().optional(),
  user_id_update: z.unknown().optional(),
});

export type WebhookValue = z.output<typeof valueShape>;

export const contactShape = z.object({
  wa_id: optionalId,
  user_id: optionalId,
  profile: optional(z.object({ name: optionalText, username: optionalText })),
});
export type Contact = z.output<typeof contactShape>;

/** Unix seconds, as text or number. */
const timestamp = z.transform((value) =>
  typeof value === "string" || (typeof value === "number" && Number.isFinite(value))
    ? value
    : undefined,
);

const messageShape = z.object({
  id: optionalId,
  from: optionalId,
  from_user_id: optionalId,
  group_id: optionalId,
  timestamp,
  type: optionalText,
  context: optional(
    z.object({
      id: optionalId,
      from: optionalId,
      forwarded: optional(z.boolean()),
      frequently_forwarded: optional(z.boolean()),
    }),
  ),
});

/** One item of `messages`. */
export interface RawMessage extends z.output<typeof messageShape> {
  /** What stands under a key named after the message's type. */
  part(name: string): unknown;
}

/** null where it is no object. */
export function parseMessage(raw: unknown): RawMessage | null {
  const parsed = messageShape.safeParse(raw);
  if (!parsed.success || typeof raw !== "object" || raw === null) return null;
  const part = (name: string): unknown =>
    Object.hasOwn(raw, name) ? Reflect.get(raw, name) : undefined;
  return { ...parsed.data, part };
}

export const errorShape = z.object({
  code: z.number().int(),
  title: optionalText,
  message: optionalText,
  error_data: optional(z.object({ details: optionalText })),
});

export const statusShape = z.object({
  id,
  status: z.string().max(longestText),
  timestamp,
  recipient_id: optionalId,
  recipient_user_id: optionalId,
  recipient_type: optionalText,
  biz_opaque_callback_data: optionalText,
  errors: optionalList,
});

/** The timestamp of an item in Unix seconds; `now` (Unix ms) where it has none that makes sense. */
export function readTimestamp(raw: string | number | undefined, now: number): number {
  const seconds = typeof raw === "string" && raw.trim() === "" ? NaN : Number(raw);
  const sensible = Number.isFinite(seconds) && seconds > 0 && seconds < 100_000_000_000;
  return sensible ? Math.floor(seconds) : Math.floor(now / 1000);
}

/** The items of something that should be a list: null where it is something else, [] where it is absent. */
export function listOf(value: unknown): unknown[] | null {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : null;
}
