import { canonicalPhone } from "../../config/numbers.ts";
import { otherNumber, type InboundEvent } from "../message.ts";
import { ignoredFields } from "./payload/fields.ts";
import { linkedBy, readUserIdUpdate } from "./payload/identity.ts";
import { ignored, readMessage } from "./payload/message.ts";
import { contactBook } from "./payload/sender.ts";
import {
  listOf,
  readChange,
  readChanges,
  readEntries,
  readValue,
  type WebhookChange,
  type WebhookValue,
} from "./payload/shapes.ts";
import { readStatus } from "./payload/status.ts";

/** One body reports no more ignored items than this: Meta sends at most 1000 updates, anything else is no Meta. */
const maxIgnored = 1000;

/**
 * What a webhook body says, in its order. `body` is any JSON value, `phoneNumberId` the own number's id: changes of
 * other numbers are ignored. Every item is read for itself, so a malformed one costs no neighbour. `now` (Unix ms)
 * stands in for timestamps that are missing or make no sense. Pure; never throws.
 */
export function parseWebhook(body: unknown, phoneNumberId: string, now: number): InboundEvent[] {
  const entries = readEntries(body);
  if (!entries) return [ignored("unknown_shape")];
  const events: InboundEvent[] = [];
  let ignoredCount = 0;
  for (const event of eventsOf(entries, phoneNumberId, now)) {
    if (event.kind === "ignored" && ++ignoredCount > maxIgnored) continue;
    events.push(event);
  }
  return events;
}

/** The own number in E.164 as this body names it; null where it does not. */
export function ownNumberIn(body: unknown, phoneNumberId: string): string | null {
  for (const entry of readEntries(body) ?? []) {
    for (const change of readChanges(entry) ?? []) {
      const { metadata } = readValue(readChange(change)?.value) ?? {};
      if (metadata?.phone_number_id !== phoneNumberId) continue;
      return canonicalPhone(metadata.display_phone_number ?? "");
    }
  }
  return null;
}

function* eventsOf(
  entries: unknown[],
  phoneNumberId: string,
  now: number,
): Generator<InboundEvent> {
  for (const rawEntry of entries) {
    const changes = readChanges(rawEntry);
    if (!changes) {
      yield ignored("unknown_shape");
      continue;
    }
    for (const rawChange of changes) {
      const change = readChange(rawChange);
      if (change) yield* eventsOfChange(change, phoneNumberId, now);
      else yield ignored("unknown_shape");
    }
  }
}

function* eventsOfChange(
  change: WebhookChange,
  phoneNumberId: string,
  now: number,
): Generator<InboundEvent> {
  const field = change.field ?? "messages";
  const value = readValue(change.value);
  if (!value) return yield ignored("unknown_shape");
  const number = value.metadata?.phone_number_id;
  const silent = ignoredFields.get(field);
  // Meta always names the number; a relay that leaves it out still speaks for this callback.
  if (number !== undefined && number !== phoneNumberId) {
    return yield { kind: "ignored", reason: otherNumber, number };
  }
  if (silent !== undefined) return yield ignored(silent);
  if (field !== "messages" && field !== "user_id_update") return yield ignored("unknown_field");
  if (field === "user_id_update") {
    for (const item of listOf(value.user_id_update) ?? []) {
      yield readUserIdUpdate(item) ?? ignored("malformed");
    }
    return;
  }
  yield* readMessages(value, now);
}

function* readMessages(value: WebhookValue, now: number): Generator<InboundEvent> {
  const ownNumber = canonicalPhone(value.metadata?.display_phone_number ?? "");
  const messages = listOf(value.messages);
  const contacts = contactBook(value.contacts ?? [], messages ?? []);
  const statuses = listOf(value.statuses);
  if (!messages || !statuses) yield ignored("malformed");
  for (const item of messages ?? []) yield readMessage(item, contacts, ownNumber, now);
  for (const item of statuses ?? []) {
    const status = readStatus(item, now);
    if (typeof status === "string") {
      yield ignored(status);
      continue;
    }
    yield { kind: "status", status };
    const link = status.state === "sent" ? linkedBy(item) : null;
    if (link) yield link;
  }
  for (const _ of listOf(value.message_echoes) ?? []) yield ignored("echo");
  for (const _ of listOf(value.calls) ?? []) yield ignored("call");
  for (const _ of listOf(value.errors) ?? []) yield ignored("platform_error");
}
