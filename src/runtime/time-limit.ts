import type { Clock } from "./clock.ts";

interface Waiting {
  until: number;
  late(): void;
}

/**
 * One time limit for many things at once: they end in the order they began, so that a single timer does for all, where
 * one each would be set and cancelled thousands of times a second.
 */
export class TimeLimit {
  readonly #waiting = new Set<Waiting>();
  #armed = false;

  constructor(
    readonly clock: Clock,
    readonly limitMs: number,
  ) {}

  /** As `work`, or rejects with `reason` where that takes longer than the limit. */
  within<T>(work: Promise<T>, reason: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        until: this.clock.now() + this.limitMs,
        late: () => reject(new Error(reason)),
      };
      this.#waiting.add(waiting);
      if (!this.#armed) this.#arm(this.limitMs);
      const done = () => this.#waiting.delete(waiting);
      work.then(
        (value) => {
          done();
          resolve(value);
        },
        (error: unknown) => {
          done();
          reject(error);
        },
      );
    });
  }

  #arm(ms: number): void {
    this.#armed = true;
    this.clock.after(ms, () => this.#check());
  }

  #check(): void {
    this.#armed = false;
    const now = this.clock.now();
    for (const waiting of this.#waiting) {
      this.#heedSetBack(waiting.until, now + this.limitMs);
      const left = waiting.until - now;
      if (left > 0) return this.#arm(left);
      this.#waiting.delete(waiting);
      waiting.late();
    }
  }

  /** A clock that was set back makes nobody wait longer than the limit once more. */
  #heedSetBack(until: number, latest: number): void {
    if (until <= latest) return;
    for (const waiting of this.#waiting) waiting.until = Math.min(waiting.until, latest);
  }
}
