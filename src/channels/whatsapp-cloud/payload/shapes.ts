import { z } from "zod";

/**
 * The outside of a webhook body, loosely: what is not needed is not looked at, and a peripheral field of a wrong shape
 * counts as absent, so that it never costs the message. Source: Meta, webhooks reference; Graph API v26.0.
 */

const text = z.string().max(65_536);
/** Ids are text, but some senders write them as numbers. */
const id = z
  .union([z.string(), z.number().transform(String)])
  .pipe(z.string().trim().min(1).max(512));

export const optional = <T extends z.ZodType>(shape: T) => shape.optional().catch(undefined);
export const optionalId = optional(id);
export const optionalText = optional(text);
const unknowns = optional(z.array(z.unknown()));

export const bodyShape = z.looseObject({
  object: z.literal("whatsapp_business_account").optional(),
  entry: z.array(z.unknown()),
});

export const entryShape = z.looseObject({ changes: z.array(z.unknown()) });

export const changeShape = z.looseObject({
  field: optionalText,
  value: z.looseObject({}),
});

export const metadataShape = z.looseObject({
  phone_number_id: optionalId,
  display_phone_number: optionalId,
});

export const valueShape = z.looseObject({
  metadata: optional(metadataShape),
  contacts: unknowns,
  messages: z.unknown().optional(),
  statuses: z.unknown().optional(),
  message_echoes: z.unknown().optional(),
  calls: z.unknown().optional(),
  errors: z.unknown().optional(),
  user_id_update: z.unknown().optional(),
});

export type WebhookValue = z.output<typeof valueShape>;

export const contactShape = z.looseObject({
  wa_id: optionalId,
  user_id: optionalId,
  profile: optional(z.looseObject({ name: optionalText, username: optionalText })),
});
export type Contact = z.output<typeof contactShape>;

/** Unix seconds, as text or number. */
const timestamp = optional(z.union([z.string(), z.number()]));

export const messageShape = z.looseObject({
  id: optionalId,
  from: optionalId,
  from_user_id: optionalId,
  group_id: optionalId,
  timestamp,
  type: optionalText,
  context: optional(
    z.looseObject({
      id: optionalId,
      from: optionalId,
      forwarded: optional(z.boolean()),
      frequently_forwarded: optional(z.boolean()),
    }),
  ),
});
export type RawMessage = z.output<typeof messageShape>;

export const errorShape = z.looseObject({
  code: z.number().int(),
  title: optionalText,
  message: optionalText,
  error_data: optional(z.looseObject({ details: optionalText })),
});

export const statusShape = z.looseObject({
  id,
  status: text,
  timestamp,
  recipient_id: optionalId,
  recipient_user_id: optionalId,
  recipient_type: optionalText,
  biz_opaque_callback_data: optionalText,
  errors: optional(z.array(z.unknown())),
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
