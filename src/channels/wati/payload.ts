import * as v from "valibot";
import { canonicalPhone, isBusinessScopedId } from "../../config/numbers.ts";
import { otherNumber, type InboundEvent, type Message, type Sender } from "../message.ts";
import { ownId } from "../own-id.ts";
import { bodyOf, readContent } from "./content.ts";
import { mayBeSameNumber, phoneOf } from "./endpoint.ts";
import { eventShape, readTimestamp, type WatiEvent } from "./shapes.ts";
import { readStatus } from "./status.ts";

/** Events that bring a customer's message. `message` is the documented name. */
const inbound = new Set(["message", "messageReceived"]);

/** Known events that are never acted upon, and the reason under which they are counted. */
const ignoredEvents: ReadonlyMap<string, string> = new Map([
  // Repeats the customer's text, which its own event delivers.
  ["chatbotTriggered", "chatbot_triggered"],
  ["templateReviewed", "template_event"],
]);

/**
 * Turns a webhook body into events. WATI sends one flat event a request; lists are understood. Every event comes in
 * variants (`_v2`, `_bsuid`) that may all be switched on: they name the same message, so they get the same id.
 * `now` is Unix ms; what is for another number than `ownNumber` (E.164) is not acted upon, nor told apart where that is
 * null. Never throws. Source: docs.wati.io/reference/webhooks.
 */
export function parseWebhook(
  body: unknown,
  now: number,
  ownNumber: string | null = null,
): InboundEvent[] {
  return (Array.isArray(body) ? body : [body]).flatMap((item) => parseEvent(item, now, ownNumber));
}

/** The number that an event is for, where it names one and that is not `ownNumber`. */
function otherNumberOf(event: WatiEvent, ownNumber: string | null): string | null {
  const number = phoneOf(event.channelPhoneNumber ?? "");
  if (ownNumber === null || number === null) return null;
  return mayBeSameNumber(number, ownNumber) ? null : number;
}

function parseEvent(raw: unknown, now: number, ownNumber: string | null): InboundEvent[] {
  const parsed = v.safeParse(eventShape, raw);
  if (!parsed.success) return [ignored("malformed")];
  const event = parsed.output;
  const number = otherNumberOf(event, ownNumber);
  if (number !== null) return [{ kind: "ignored", reason: otherNumber, number }];
  const name = event.eventType?.trim().replace(/(_v\d+|_bsuid)+$/i, "") ?? "";
  const status = readStatus(name, event, now);
  if (status) return status.length > 0 ? status : [ignored("status_without_id")];
  if (name === "newContactMessageReceived") return [readIdentity(event) ?? ignored("new_contact")];
  const known = ignoredEvents.get(name);
  if (known !== undefined) return [ignored(known)];
  if (name.startsWith("templateMessage")) return [ignored("template_event")];
  // A body without `eventType` is no event of WATI's, but what relays and older set-ups send.
  if (name !== "" && !inbound.has(name)) return [ignored("unknown_event")];
  const message = readMessage(event, now);
  // The twin that names the BSUID may come second, as a duplicate: what it tells of the sender must not be lost.
  const identity = isTwin(event) && message.kind === "message" ? readIdentity(event) : null;
  return identity ? [message, identity] : [message];
}

function isTwin(event: WatiEvent): boolean {
  return /_bsuid$/i.test(event.eventType ?? "");
}

function readMessage(event: WatiEvent, now: number): InboundEvent {
  if (event.owner === true || event.fromMe === true) return ignored("echo");
  const type = event.type?.trim().toLowerCase();
  if (type === "template") return ignored("template_event");
  const sender = readSender(event);
  if (!sender) return ignored("no_sender");
  if (type === "reaction") return readReaction(event, sender);
  const content = readContent(event);
  if (!content) return ignored("empty_text");
  const message: Message = {
    id: "",
    chat: { kind: "direct" },
    sender,
    type: content.type,
    text: content.text,
    timestamp: readTimestamp(event, now),
    replyTo: event.replyContextId ?? null,
    forwarded: event.forwarded === true || event.frequentlyForwarded === true,
    attachments: content.attachments,
    fromMe: false,
    mentionsMe: false,
    backlog: false,
  };
  message.id = event.whatsappMessageId ?? event.id ?? hashId(event, message);
  return { kind: "message", message };
}

/** The same for a repetition of the same body: sender, time as it was sent, content. */
function hashId(event: WatiEvent, { sender, type, text, replyTo, attachments }: Message): string {
  const who = sender.phone ?? sender.userId;
  const when = event.timestamp ?? event.created ?? null;
  const files = attachments.map(({ source }) => source["url"] ?? source["path"] ?? null);
  return ownId([who, when, type, text, replyTo, files]);
}

function readReaction(event: WatiEvent, sender: Sender): InboundEvent {
  if (!event.replyContextId) return ignored("reaction_without_target");
  const emoji = bodyOf(event).trim();
  return { kind: "reaction", targetId: event.replyContextId, emoji: emoji || null, sender };
}

/** That a number and a BSUID belong to one person; null where the event does not name both. */
function readIdentity(event: WatiEvent): InboundEvent | null {
  const sender = readSender(event);
  if (!sender?.phone || !sender.userId) return null;
  return { kind: "identity", sender, previousUserId: null, previousPhone: sender.phone };
}

/** `waId` is digits without a plus, and may be missing where a BSUID stands. */
function readSender(event: WatiEvent): Sender | null {
  const phone = canonicalPhone(event.waId ?? event.from ?? "");
  const userId = bsuidOf(event.bsuid);
  const parentUserId = bsuidOf(event.parentBsuid);
  if (phone === null && userId === null) return null;
  return {
    phone,
    userId,
    ...(parentUserId === null ? {} : { parentUserId }),
    lid: null,
    username: event.username?.trim().replace(/^@/, "") || null,
    name: event.senderName?.trim() || null,
  };
}

function bsuidOf(raw: string | null | undefined): string | null {
  return raw && isBusinessScopedId(raw) ? raw : null;
}

function ignored(reason: string): InboundEvent {
  return { kind: "ignored", reason };
}
