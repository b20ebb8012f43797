import { canonicalPhone, isBusinessScopedId } from "../../../config/numbers.ts";
import type { Sender } from "../../message.ts";
import type { Contact, RawMessage } from "./shapes.ts";

/**
 * Who wrote a message, from the message itself and the entry of `contacts` that belongs to it. null where nothing
 * identifies the sender. Meta omits `from` and `wa_id`, or sends them empty, for people with a username, and gives a
 * BSUID instead. Source: Meta, business-scoped-user-ids, 7 May 2026.
 */
export function readSender(
  message: Pick<RawMessage, "from" | "from_user_id">,
  contacts: Contact[],
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
  return {
    phone,
    userId,
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
 * The contact with one of these identities. A single contact belongs to every message that it does not contradict,
 * since some bodies give it no identity at all.
 */
function contactOf(
  own: Pick<Sender, "phone" | "userId">,
  contacts: Contact[],
): Contact | undefined {
  const byUser = contacts.find((it) => own.userId !== null && it.user_id === own.userId);
  if (byUser) return byUser;
  const byPhone = contacts.find(
    (it) => own.phone !== null && canonicalPhone(it.wa_id ?? "") === own.phone,
  );
  if (byPhone) return byPhone;
  const [only] = contacts;
  if (!only || contacts.length > 1) return undefined;
  const otherUser = own.userId !== null && only.user_id !== undefined;
  const otherPhone = own.phone !== null && only.wa_id !== undefined;
  return otherUser || otherPhone ? undefined : only;
}
