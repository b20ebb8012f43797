import type { Clock } from "../runtime/clock.ts";

const HOUR = 60 * 60 * 1000;
/** A longer step between two looks is a clock that was set, or a machine that slept, ms. */
const JUMP = HOUR;
/** How long such a step has to last before it is believed, ms. */
const DOUBT = 24 * HOUR;

/**
 * The time for what cannot be undone. A clock that jumps ahead may be wrong, and set right again: until it has gone on
 * for a day from there, the jump does not count. To be looked at more often than once an hour.
 */
export class BelievedTime {
  readonly #clock: Clock;
  #last: number;
  #ahead = 0;
  #lasted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = clock.now();
  }

  /** Unix milliseconds. */
  now(): number {
    const now = this.#clock.now();
    const passed = now - this.#last;
    this.#last = now;
    if (passed > JUMP) {
      this.#ahead += passed;
      this.#lasted = 0;
    } else if (passed < 0) {
      this.#ahead = Math.max(0, this.#ahead + passed);
    } else {
      this.#lasted += passed;
      if (this.#lasted >= DOUBT) this.#ahead = 0;
    }
    return now - this.#ahead;
  }
}
