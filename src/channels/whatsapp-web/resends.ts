import { type WAMessageKey, jidDecode, type proto } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import { Newest } from "../../runtime/newest.ts";
import { kindOf } from "./jid.ts";
import type { Session } from "./session.ts";

/** As often at once a message may go again to a group, and then once in so long. */
const AT_ONCE = 10;
const ONE_MORE_MS = 12_000;
const MOST_GROUPS = 500;

/**
 * How often messages go to a group again, all its members together. Each phone that cannot read one asks for it, and
 * Baileys sends it to the whole group for each (`messages-recv.js`, sendMessagesAgain), with a new sender key that serves
 * all others as well. Accounts have been locked for what hundreds of members brought about so. Who is not answered has
 * the key with the next message.
 */
export class Resends {
  private readonly groups = new Newest<{ left: number; at: number }>(MOST_GROUPS);

  constructor(private readonly clock: Clock) {}

  /** Whether one more may go; counts it if so. */
  take(group: string): boolean {
    const now = this.clock.now();
    const known = this.groups.get(group) ?? { left: AT_ONCE, at: now };
    // A clock that was set back starts anew.
    const at = Math.min(known.at, now);
    const more = Math.floor((now - at) / ONE_MORE_MS);
    const may = Math.min(AT_ONCE, known.left + more);
    const since = may === AT_ONCE ? now : at + more * ONE_MORE_MS;
    this.groups.set(group, { left: Math.max(0, may - 1), at: since });
    return may > 0;
  }
}

/** The message that somebody asks for again; undefined where it was not for them, or went to their group too often. */
export function messageAgain(
  session: Pick<Session, "sentTo">,
  resends: Resends,
  { remoteJid, participant, id }: WAMessageKey,
): proto.IMessage | undefined {
  const chat = remoteJid ?? "";
  const message = session.sentTo(chat, id ?? "");
  // Other devices than the phone get it alone.
  const whole = kindOf(chat) === "group" && !jidDecode(participant ?? "")?.device;
  return message && whole && !resends.take(chat) ? undefined : message;
}
