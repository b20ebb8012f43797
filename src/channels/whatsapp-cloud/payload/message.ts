import { canonicalPhone } from "../../../config/numbers.ts";
import type { InboundEvent, Message } from "../../message.ts";
import { ownId } from "../../own-id.ts";
import { readContent } from "./content.ts";
import { readSystem } from "./identity.ts";
import { readSender, type ContactBook } from "./sender.ts";
import { parseMessage, readTimestamp, type RawMessage } from "./shapes.ts";
import { readTargeted, targetedTypes } from "./targeted.ts";

/** Types that say nothing to an agent, and the reason under which they are counted. */
const silentTypes: ReadonlyMap<string, string> = new Map([
  ["unsupported", "unsupported"],
  ["unknown", "unsupported"],
  ["request_welcome", "request_welcome"],
]);

/** One item of `messages`. `ownNumber` is the business' own number, `now` Unix ms. */
export function readMessage(
  raw: unknown,
  contacts: ContactBook,
  ownNumber: string | null,
  now: number,
): InboundEvent {
  const item = parseMessage(raw);
  if (!item) return ignored("malformed");
  const type = typeOf(item);
  if (type === null) return ignored("malformed");
  if (type === "system") return readSystem(item) ?? ignored("system");
  const silent = silentTypes.get(type);
  if (silent !== undefined) return ignored(silent);
  const sender = readSender(item, contacts);
  if (!sender) return ignored("no_sender");
  const timestamp = readTimestamp(item.timestamp, now);
  if (targetedTypes.has(type)) {
    return readTargeted(type, item, sender, timestamp) ?? ignored("malformed");
  }
  const content = readContent(type, item);
  if ("ignored" in content) return ignored(content.ignored);

  const { context } = item;
  const message: Message = {
    id: item.id ?? "",
    chat: item.group_id === undefined ? { kind: "direct" } : { kind: "group", id: item.group_id },
    sender,
    ...content,
    timestamp,
    replyTo: context?.id ?? null,
    forwarded: context !== undefined && (context.forwarded || context.frequently_forwarded),
    fromMe: isOwn(item.from, ownNumber),
    mentionsMe: isOwn(context?.from, ownNumber),
    backlog: false,
  };
  if (message.id === "") message.id = hashId(message, item.timestamp);
  return { kind: "message", message };
}

export function ignored(reason: string): InboundEvent {
  return { kind: "ignored", reason };
}

/** A text is recognised by its body where the type is missing. */
function typeOf(item: RawMessage): string | null {
  if (item.type) return item.type;
  return "ignored" in readContent("text", item) ? null : "text";
}

function isOwn(number: string | undefined, ownNumber: string | null): boolean {
  return ownNumber !== null && canonicalPhone(number ?? "") === ownNumber;
}

/** The same for a repetition of the same body: sender, time as it was sent, content. */
function hashId(message: Message, timestamp: string | number | undefined): string {
  const { sender, chat, type, text, attachments, replyTo } = message;
  const parts = [sender.phone, sender.userId, chat, timestamp ?? null, type, text, replyTo];
  return ownId([...parts, attachments.map((it) => it.source["id"])]);
}
