import type { Sender } from "../channels/message.ts";
import { canonicalLid, canonicalPhone, isBusinessScopedId, phoneKey } from "../config/numbers.ts";

export { canonicalLid, canonicalPhone, isBusinessScopedId, phoneKey };

/**
 * The `chat.id` of a direct chat: the number in E.164, in the form the platform gave; else the BSUID; else the LID;
 * null where nothing is known. Whoever stores chats tells people apart by every identity known of them, so that one who
 * appears in another form or under another identity continues the chat under the id it was first given.
 */
export function chatIdOf(sender: Pick<Sender, "phone" | "userId" | "lid">): string | null {
  const phone = sender.phone === null ? null : canonicalPhone(sender.phone);
  return phone ?? sender.userId ?? sender.lid;
}
