import * as v from "valibot";
import { once } from "../../../runtime/once.ts";
import { isFields, jsonObject, optional, wholeNumber } from "../../../net/json-object.ts";

/**
 * The outside of a webhook body, loosely: what is not needed is not looked at, and a peripheral field of a wrong shape
 * counts as absent, so that it never costs the message. Source: Meta, webhooks reference; Graph API v26.0.
 */

const longestText = 65_536;
const longestId = 512;

// Every body comes through what is read by plain functions here, at a tenth of what a schema costs.

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= longestText ? value : undefined;
}

/** Ids are text, but some senders write them as numbers; of large ones several are read as one, so those are none. */
function readId(value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  const id = typeof text === "string" ? text.trim() : "";
  return id.length > 0 && id.length <= longestId ? id : undefined;
}

/** An id that is there and cannot be told from others is another's. */
function readNumberId(value: unknown): string | undefined {
  return readId(value) ?? (typeof value === "number" ? `${value}?` : undefined);
}

const read = <T>(reader: (value: unknown) => T | undefined) =>
  v.optional(v.pipe(v.unknown(), v.transform(reader)));

export const optionalId = read(readId);
export const optionalText = read(readText);
const optionalList = read((value) => (Array.isArray(value) ? asUnknowns(value) : undefined));
const id = v.pipe(v.unknown(), v.transform(readId), v.string());

function asUnknowns(value: unknown[]): unknown[] {
  return value;
}

/** The entries of a body, or null where it is none of this kind. */
export function readEntries(body: unknown): unknown[] | null {
  if (!isFields(body)) return null;
  const { object, entry } = body;
  if (object !== undefined && object !== "whatsapp_business_account") return null;
  return Array.isArray(entry) ? asUnknowns(entry) : null;
}

/** The changes of an entry, or null where it has none. */
export function readChanges(entry: unknown): unknown[] | null {
  return isFields(entry) && Array.isArray(entry["changes"]) ? asUnknowns(entry["changes"]) : null;
}

export interface WebhookChange {
  field: string | undefined;
  value: unknown;
}

/** null where it is no object. */
export function readChange(raw: unknown): WebhookChange | null {
  return isFields(raw) ? { field: readText(raw["field"]), value: raw["value"] } : null;
}

export interface WebhookValue {
  metadata:
    { phone_number_id: string | undefined; display_phone_number: string | undefined } | undefined;
  contacts: unknown[] | undefined;
  messages: unknown;
  statuses: unknown;
  message_echoes: unknown;
  calls: unknown;
  errors: unknown;
  user_id_update: unknown;
}

/** null where it is no object. */
export function readValue(raw: unknown): WebhookValue | null {
  if (!isFields(raw)) return null;
  const { metadata, contacts, messages, statuses, message_echoes, calls, errors } = raw;
  return {
    metadata: isFields(metadata)
      ? {
          phone_number_id: readNumberId(metadata["phone_number_id"]),
          display_phone_number: readId(metadata["display_phone_number"]),
        }
      : undefined,
    contacts: Array.isArray(contacts) ? asUnknowns(contacts) : undefined,
    messages,
    statuses,
    message_echoes,
    calls,
    errors,
    user_id_update: raw["user_id_update"],
  };
}

export interface Contact {
  wa_id: string | undefined;
  user_id: string | undefined;
  parent_user_id: string | undefined;
  profile: { name: string | undefined; username: string | undefined } | undefined;
}

/** null where it is no object. */
export function readContact(raw: unknown): Contact | null {
  if (!isFields(raw)) return null;
  const { wa_id, user_id, parent_user_id, profile } = raw;
  return {
    wa_id: readId(wa_id),
    user_id: readId(user_id),
    parent_user_id: readId(parent_user_id),
    profile: isFields(profile)
      ? { name: readText(profile["name"]), username: readText(profile["username"]) }
      : undefined,
  };
}

/** Unix seconds, as text or number. */
function readTime(value: unknown): string | number | undefined {
  return typeof value === "string" || typeof value === "number" ? value : undefined;
}
const timestamp = read(readTime);

/** One item of `messages`. */
export interface RawMessage {
  id: string | undefined;
  from: string | undefined;
  from_user_id: string | undefined;
  from_parent_user_id: string | undefined;
  group_id: string | undefined;
  timestamp: string | number | undefined;
  type: string | undefined;
  context:
    | {
        id: string | undefined;
        from: string | undefined;
        forwarded: boolean;
        frequently_forwarded: boolean;
      }
    | undefined;
  /** What stands under a key named after the message's type. */
  part(name: string): unknown;
}

/** null where it is no object. */
export function parseMessage(raw: unknown): RawMessage | null {
  if (!isFields(raw)) return null;
  const { context } = raw;
  return {
    id: readId(raw["id"]),
    from: readId(raw["from"]),
    from_user_id: readId(raw["from_user_id"]),
    from_parent_user_id: readId(raw["from_parent_user_id"]),
    group_id: readId(raw["group_id"]),
    timestamp: readTime(raw["timestamp"]),
    type: readText(raw["type"]),
    context: isFields(context)
      ? {
          id: readId(context["id"]),
          from: readId(context["from"]),
          forwarded: context["forwarded"] === true,
          frequently_forwarded: context["frequently_forwarded"] === true,
        }
      : undefined,
    part: (name) => (Object.hasOwn(raw, name) ? raw[name] : undefined),
  };
}

export const errorShape = once(() =>
  jsonObject({
    code: wholeNumber,
    title: optionalText,
    message: optionalText,
    error_data: optional(jsonObject({ details: optionalText })),
  }),
);

export const statusShape = once(() =>
  jsonObject({
    id,
    status: v.pipe(v.string(), v.maxLength(longestText)),
    timestamp,
    recipient_id: optionalId,
    recipient_user_id: optionalId,
    recipient_type: optionalText,
    recipient_participant_id: optionalId,
    participant_recipient_id: optionalId,
    recipient_participant_user_id: optionalId,
    recipient_participant_parent_user_id: optionalId,
    biz_opaque_callback_data: optionalText,
    errors: optionalList,
  }),
);

/** The timestamp of an item in Unix seconds; `now` (Unix ms) where it has none that makes sense. */
export function readTimestamp(raw: string | number | undefined, now: number): number {
  const seconds = Number(raw);
  return seconds > 0 && seconds < 100_000_000_000 ? Math.floor(seconds) : Math.floor(now / 1000);
}

/** The items of something that should be a list: null where it is something else, [] where it is absent. */
export function listOf(value: unknown): unknown[] | null {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : null;
}
