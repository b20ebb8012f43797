import type { Clock } from "../../runtime/clock.ts";
import { Newest } from "../../runtime/newest.ts";

export interface AllowanceLimits {
  clock: Clock;
  /** As often at once, and then once in so long. */
  atOnce: number;
  oneMoreMs: number;
  /** Of as many it is known how often they took; who took longest ago has all again. */
  most: number;
}

/** How often each of many may do something. */
export class Allowance {
  private readonly known: Newest<{ left: number; at: number }>;

  constructor(private readonly limits: AllowanceLimits) {
    this.known = new Newest(limits.most);
  }

  /** Whether once more is allowed; counts it if so. */
  take(key: string): boolean {
    const { clock, atOnce, oneMoreMs } = this.limits;
    const now = clock.now();
    const known = this.known.get(key) ?? { left: atOnce, at: now };
    // A clock that was set back starts anew.
    const at = Math.min(known.at, now);
    const more = Math.floor((now - at) / oneMoreMs);
    const may = Math.min(atOnce, known.left + more);
    const since = may === atOnce ? now : at + more * oneMoreMs;
    this.known.set(key, { left: Math.max(0, may - 1), at: since });
    return may > 0;
  }
}
