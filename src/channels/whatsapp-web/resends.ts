import { jidDecode, type proto } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import { Allowance } from "./allowance.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { kindOf } from "./jid.ts";
import type { Session } from "./session.ts";

/** As often at once a message may go again to a group, and then once in so long. */
const AT_ONCE = 10;
const ONE_MORE_MS = 12_000;
const MOST_GROUPS = 500;
/** As often one device is answered for one message; a phone gives up after as many tries. */
const MOST_TRIES = 5;
const TRIES_MS = 24 * 3_600_000;
const MOST_TRIED = 5000;

/** Who asks for a message again. */
export interface Asking {
  id: string;
  /** Where it was sent, as the asker names it. */
  chat: string;
  /** JID of the device. */
  asker: string;
}

/**
 * How often messages go again. Of each message, a device is answered a few times: who keeps asking would have it
 * encrypted and sent without an end.
 *
 * To groups, all members count together. Each phone that cannot read a message asks for it, and it goes to the whole
 * group, with a new sender key that serves all others as well. Accounts have been locked for what hundreds of members
 * brought about so. Who is not answered has the key with the next message.
 */
export class Resends {
  private readonly groups;
  private readonly tries;

  constructor(clock: Clock) {
    const limits = { atOnce: AT_ONCE, oneMoreMs: ONE_MORE_MS, most: MOST_GROUPS };
    this.groups = new Allowance({ clock, ...limits });
    this.tries = new BoundedCache<number>({ clock, most: MOST_TRIED, ttlMs: TRIES_MS });
  }

  /** Whether the device is answered once more; counts it if so. All messages that are not known, `null`, are one. */
  try(device: string, id: string | null): boolean {
    const key = id === null ? device : `${device} ${id}`;
    const before = this.tries.get(key) ?? 0;
    if (before >= MOST_TRIES) return false;
    this.tries.set(key, before + 1);
    return true;
  }

  /** Whether one more may go to the group; counts it if so. */
  take(group: string): boolean {
    return this.groups.take(group);
  }
}

/** A phone's message goes to the whole chat again; other devices get theirs alone. */
export function isForAll(asker: string): boolean {
  return !jidDecode(asker)?.device;
}

/**
 * What who asks for a message again gets; null: nothing. Without the message, as where it was not for them or went to
 * their group too often, they get a new session, for they cannot read what is written under the one there is.
 */
export function answerTo(
  session: Pick<Session, "sentTo">,
  resends: Resends,
  { id, chat, asker }: Asking,
): { message: proto.IMessage | null } | null {
  const message = session.sentTo(chat, id) ?? null;
  if (!resends.try(asker, message && id)) return null;
  const whole = kindOf(chat) === "group" && isForAll(asker);
  return { message: whole && message && !resends.take(chat) ? null : message };
}
