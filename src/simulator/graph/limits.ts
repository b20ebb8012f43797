import { graphError, type GraphError } from "./errors.ts";

export interface RateLimits {
  /** Messages a second of the business number (Meta: 80). */
  perSecond?: number;
  /** One message to one customer each `everyMs` (Meta: 6,000), `burst` of them ahead of time (Meta: 45). */
  pair?: { everyMs: number; burst: number };
}

/** Meta's throughput limit (130429) and pair rate limit (131056). Time is given in, Unix milliseconds. */
export class RateLimiter {
  limits: RateLimits;
  #second = 0;
  #inSecond = 0;
  /** Per recipient: when its borrowed messages will have been earned back. */
  readonly #paidUntil = new Map<string, number>();

  constructor(limits: RateLimits) {
    this.limits = limits;
  }

  /** The error that a message to `recipient` meets now, or null; null counts the message. */
  refuse(recipient: string, now: number): GraphError | null {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    if (this.limits.perSecond !== undefined && this.#inSecond >= this.limits.perSecond) {
      return graphError(
        130429,
        "Message failed to send because there were too many messages sent from this phone number in a short " +
          "period of time",
      );
    }
    const { pair } = this.limits;
    if (pair) {
      const paidUntil = Math.max(this.#paidUntil.get(recipient) ?? 0, now);
      if (Math.ceil((paidUntil - now) / pair.everyMs) >= pair.burst) {
        return graphError(
          131056,
          "Message failed to send because there were too many messages sent from this phone number to the same " +
            "phone number in a short period of time",
        );
      }
      this.#paidUntil.set(recipient, paidUntil + pair.everyMs);
    }
    this.#inSecond++;
    return null;
  }
}
