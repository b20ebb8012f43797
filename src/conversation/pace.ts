import type { Pace } from "../channels/channel.ts";

/** A bucket of tokens that fills with time. `take` answers 0 where one was taken, else the ms until one is there. */
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

  wait(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.perMs);
  }

  take(now: number): void {
    this.#fill(now);
    this.#tokens -= 1;
  }

  full(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.capacity;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.capacity, this.#tokens + (now - this.#at) * this.perMs);
    this.#at = now;
  }
}

/** Keeps one account under the platform's limits: messages a second, and messages to one recipient. */
export class Pacer {
  readonly #account: TokenBucket;
  readonly #recipients = new Map<number, TokenBucket>();
  readonly #pace: Pace;

  constructor(pace: Pace, now: number) {
    this.#pace = pace;
    this.#account = new TokenBucket(pace.perSecond / 1000, pace.perSecond, now);
  }

  /** 0 where a message to this chat may go now (and is counted), else the ms to wait. */
  admit(chat: number, now: number): number {
    const recipient = this.#recipient(chat, now);
    const wait = Math.max(this.#account.wait(now), recipient.wait(now));
    if (wait > 0) return wait;
    this.#account.take(now);
    recipient.take(now);
    return 0;
  }

  #recipient(chat: number, now: number): TokenBucket {
    const known = this.#recipients.get(chat);
    if (known) return known;
    if (this.#recipients.size >= 10_000) this.#forgetIdle(now);
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
  }
}
