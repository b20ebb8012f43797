import type { Clock } from "../runtime/clock.ts";

const HOUR = 60 * 60 * 1000;
/** A longer step between two looks is a clock that was set, or a machine that slept, ms. */
const JUMP = HOUR;
/** How long such a step has to last before it is believed, ms. */
const DOUBT = 24 * HOUR;

interface Jump {
  ms: number;
  /** How long the clock has gone on since, ms. */
  lasted: number;
}

/**
 * The time for what cannot be undone. A clock that jumps ahead may be wrong, and set right again: until it has gone on
 * for a day from there, the jump does not count. Each is doubted for itself: a machine that sleeps every night must not
 * doubt them all for ever. To be looked at more often than once an hour.
 */
export class BelievedTime {
  readonly #clock: Clock;
  #last: number;
  /** Those that are doubted, oldest first. */
  #jumps: Jump[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = clock.now();
  }

  /** Unix milliseconds. */
  now(): number {
    const now = this.#clock.now();
    const passed = now - this.#last;
    this.#last = now;
    if (passed > JUMP) this.#jumps.push({ ms: passed, lasted: 0 });
    else if (passed < 0) this.#takeBack(-passed);
    else {
      for (const jump of this.#jumps) jump.lasted += passed;
      this.#jumps = this.#jumps.filter(({ lasted }) => lasted < DOUBT);
    }
    return now - this.#jumps.reduce((sum, { ms }) => sum + ms, 0);
  }

  #takeBack(ms: number): void {
    for (let left = ms, jump; left > 0 && (jump = this.#jumps.pop()); left -= jump.ms) {
      if (jump.ms > left) this.#jumps.push({ ...jump, ms: jump.ms - left });
    }
  }
}
