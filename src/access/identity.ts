import type { Sender } from "../channels/message.ts";
import { canonicalLid, canonicalPhone, isBusinessScopedId } from "../config/numbers.ts";

export { canonicalLid, canonicalPhone, isBusinessScopedId };

/**
 * The digits under which a number is looked up and compared, the same for both forms of a number that has two:
 * - Brazil: mobiles got a ninth digit in front (55 AA 9XXXX-XXXX); WhatsApp knows older accounts without it. Only
 *   where the rest could be a mobile of old: a rest that begins with 2 to 5 is a landline of somebody else.
 * - Argentina: mobiles are dialled 54 9 AREA NUMBER from abroad, written without the 9 at home.
 * - Mexico: mobiles were dialled 52 1 … until 2019; WhatsApp still shows that form.
 *
 * Only a key: what is sent to keeps the form that the platform gave. Null where `phone` is not a number.
 */
export function phoneKey(phone: string): string | null {
  const digits = canonicalPhone(phone)?.slice(1);
  if (digits === undefined) return null;
  const brazil = /^(55\d\d)9([016-9]\d{7})$/.exec(digits);
  if (brazil) return `${brazil[1]}${brazil[2]}`;
  const argentina = /^549(\d{10})$/.exec(digits);
  if (argentina) return `54${argentina[1]}`;
  const mexico = /^521(\d{10})$/.exec(digits);
  if (mexico) return `52${mexico[1]}`;
  return digits;
}

/**
 * The `chat.id` of a direct chat: the number in E.164, in the form the platform gave; else the BSUID; else the LID;
 * null where nothing is known. Whoever stores chats tells people apart by every identity known of them, so that one who
 * appears in another form or under another identity continues the chat under the id it was first given.
 */
export function chatIdOf(sender: Pick<Sender, "phone" | "userId" | "lid">): string | null {
  const phone = sender.phone === null ? null : canonicalPhone(sender.phone);
  return phone ?? sender.userId ?? sender.lid;
}
