import type { Pace } from "../channels/channel.ts";

/** A bucket of tokens that fills with time. `now` is Unix milliseconds throughout. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(
    readonly perMs: number,
    readonly capacity: number,
    now: number,
  ) {
    this.#tokens = capacity;
    this.#at = now;
  }

  /** Milliseconds until a token is there; 0: there is one. */
  wait(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.perMs);
  }

  /** Takes a token, also one that is not there yet: the next one is then so much later. */
  take(now: number): void {
    this.#fill(now);
    this.#tokens -= 1;
  }

  full(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.capacity;
  }

  #fill(now: number): void {
    // A clock that was set back gives nothing and takes nothing.
    const passed = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.capacity, this.#tokens + passed * this.perMs);
    this.#at = now;
  }
}

/** Share of a second's messages that may go at once. With the rest of it, no second sees more than the platform allows. */
const BURST_SHARE = 0.1;
/** Recipients are looked through for idle ones when there are so many, and again when there are twice as many. */
const MANY_RECIPIENTS = 10_000;

/** Keeps one account under the platform's limits: messages a second, and messages to one recipient. */
export class Pacer {
  readonly #account: TokenBucket;
  readonly #recipients = new Map<number, TokenBucket>();
  readonly #pace: Pace;
  #many = MANY_RECIPIENTS;

  constructor(pace: Pace, now: number) {
    this.#pace = pace;
    const burst = Math.max(1, pace.perSecond * BURST_SHARE);
    this.#account = new TokenBucket((pace.perSecond * (1 - BURST_SHARE)) / 1000, burst, now);
  }

  /** Milliseconds until the account may send again; 0: now. */
  accountWait(now: number): number {
    return this.#account.wait(now);
  }

  /** Milliseconds until this chat may be sent to again; 0: now. */
  recipientWait(chat: number, now: number): number {
    return this.#recipients.get(chat)?.wait(now) ?? 0;
  }

  /** Counts one message to this chat. */
  take(chat: number, now: number): void {
    this.#account.take(now);
    this.#recipient(chat, now).take(now);
  }

  #recipient(chat: number, now: number): TokenBucket {
    const known = this.#recipients.get(chat);
    if (known) return known;
    if (this.#recipients.size >= this.#many) this.#forgetIdle(now);
    const bucket = new TokenBucket(
      1 / this.#pace.recipientIntervalMs,
      this.#pace.recipientBurst,
      now,
    );
    this.#recipients.set(chat, bucket);
    return bucket;
  }

  #forgetIdle(now: number): void {
    for (const [chat, bucket] of this.#recipients) {
      if (bucket.full(now)) this.#recipients.delete(chat);
    }
    this.#many = Math.max(MANY_RECIPIENTS, this.#recipients.size * 2);
  }
}
