import type { Clock } from "../../src/runtime/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on by `ms`, calling every timer that falls due, in order, and letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  readonly pending: number;
}

/** A clock that stands still until it is moved by hand. */
export function fakeClock(start = 1_700_000_000_000): FakeClock {
  let now = start;
  let timers: { at: number; callback: () => void }[] = [];
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = timers
          .filter(({ at }) => at <= end)
          .toSorted((a, b) => a.at - b.at)
          .at(0);
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        now = Math.max(now, due.at);
        due.callback();
        await settle();
      }
      now = end;
    },
    get pending() {
      return timers.length;
    },
  };
}
