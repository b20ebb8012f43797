import type { BinaryNode, MessageRetryManager } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import { Newest } from "../../runtime/newest.ts";
import { Allowance } from "./allowance.ts";
import { withoutDevice } from "./jid.ts";

/** As often at once somebody is asked for what cannot be read here, and then once in so long. */
const AT_ONCE = 100;
const ONE_MORE_MS = 60_000;
const MOST_SENDERS = 1000;
/** Messages that are being handled, or wait for it. */
const MOST_MESSAGES = 1000;

/**
 * How often senders are asked to send again what cannot be read here. Anybody can send that, under ever new ids, and
 * Baileys asks for each: it sends a receipt, mostly with a key of ours that it stores, and wakes the account's phone.
 * Beyond this the phone alone is asked, in its own time (`placeholder-requests.ts`).
 */
export class RetryRequests {
  private readonly allowance: Allowance;
  private readonly senders = new Newest<string>(MOST_MESSAGES);

  constructor(clock: Clock) {
    const limits = { atOnce: AT_ONCE, oneMoreMs: ONE_MORE_MS, most: MOST_SENDERS };
    this.allowance = new Allowance({ clock, ...limits });
  }

  /** Call it for every `message` stanza before Baileys sees it. */
  note({ attrs }: BinaryNode): void {
    const sender = attrs.participant ?? attrs.from;
    if (attrs.id && sender) this.senders.set(attrs.id, withoutDevice(sender));
  }

  /** Has Baileys take a message for asked for often enough (`messages-recv.js`, sendRetryRequest) where its sender was. */
  limit(manager: Pick<MessageRetryManager, "hasExceededMaxRetries">): void {
    const hasExceeded = manager.hasExceededMaxRetries.bind(manager);
    manager.hasExceededMaxRetries = (id) =>
      hasExceeded(id) || !this.allowance.take(this.senders.get(id) ?? "");
  }
}
