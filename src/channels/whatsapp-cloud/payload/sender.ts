import { canonicalPhone, isBusinessScopedId } from "../../../config/numbers.ts";
import type { Sender } from "../../message.ts";
import { parseMessage, readContact, type Contact, type RawMessage } from "./shapes.ts";

/** The `contacts` of a change, found by identity: a hostile body may name as many as it holds messages. */
export interface ContactBook {
  byUser: Map<string, Contact>;
  byPhone: Map<string, Contact>;
  /** Where there is no other, and all messages are of one person. */
  only: Contact | null;
}

/** The contacts that stand beside these messages. Of several with one identity the first counts. */
export function contactBook(contacts: unknown[], messages: unknown[]): ContactBook {
  const book: ContactBook = { byUser: new Map(), byPhone: new Map(), only: null };
  for (const item of contacts) {
    const contact = readContact(item);
    if (!contact) continue;
    const phone = canonicalPhone(contact.wa_id ?? "");
    const userId = contact.user_id;
    if (userId !== undefined && !book.byUser.has(userId)) book.byUser.set(userId, contact);
    if (phone !== null && !book.byPhone.has(phone)) book.byPhone.set(phone, contact);
    if (contacts.length === 1 && areOfOne(messages)) book.only = contact;
  }
  return book;
}

/** Do all of them name their sender alike? */
function areOfOne(messages: unknown[]): boolean {
  const [first, ...others] = messages.map((raw) => {
    const { from, from_user_id } = parseMessage(raw) ?? {};
    return JSON.stringify([from, from_user_id]);
  });
  return others.every((other) => other === first);
}

/**
 * Who wrote a message, from the message itself and the entry of `contacts` that belongs to it. null where nothing
 * identifies the sender. Meta omits `from` and `wa_id`, or sends them empty, for people with a username, and gives a
 * BSUID instead. Source: Meta, business-scoped-user-ids, 7 May 2026.
 */
export function readSender(
  message: Pick<RawMessage, "from" | "from_user_id" | "from_parent_user_id">,
  contacts: ContactBook,
): Sender | null {
  const from = message.from ?? "";
  const own = {
    phone: canonicalPhone(from),
    userId: readUserId(message.from_user_id) ?? (isBusinessScopedId(from) ? from : null),
  };
  const contact = contactOf(own, contacts);
  const phone = own.phone ?? canonicalPhone(contact?.wa_id ?? "");
  const userId = own.userId ?? readUserId(contact?.user_id);
  if (phone === null && userId === null) return null;
  const parentUserId =
    readUserId(message.from_parent_user_id) ?? readUserId(contact?.parent_user_id);
  return {
    phone,
    userId,
    ...(parentUserId === null ? {} : { parentUserId }),
    lid: null,
    username: contact?.profile?.username?.trim().replace(/^@/, "") || null,
    name: contact?.profile?.name?.trim() || null,
  };
}

/** A BSUID in a field that holds nothing else; its form is Meta's affair, so only what cannot be one is refused. */
export function readUserId(raw: string | undefined): string | null {
  return raw !== undefined && /^[\w.:-]{1,160}$/.test(raw) ? raw : null;
}

/**
 * The contact with one of these identities. A single contact belongs to the one person whose messages stand beside it, if
 * they do not contradict it, since some bodies give it no identity at all; of two people it may be either.
 */
function contactOf(
  { phone, userId }: Pick<Sender, "phone" | "userId">,
  { byUser, byPhone, only }: ContactBook,
): Contact | undefined {
  const known = (userId && byUser.get(userId)) || (phone && byPhone.get(phone));
  if (known) return known;
  const otherUser = userId !== null && only?.user_id !== undefined;
  const otherPhone = phone !== null && only?.wa_id !== undefined;
  return only && !otherUser && !otherPhone ? only : undefined;
}
