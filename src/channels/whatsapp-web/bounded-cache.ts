import type { Clock } from "../../runtime/clock.ts";
import { Newest } from "../../runtime/newest.ts";

export interface CacheLimits {
  clock: Clock;
  /** Entries kept; the one set longest ago goes first. */
  most: number;
  /** Milliseconds an entry lives after it was set. */
  ttlMs: number;
}

/** A cache with an end to both its size and its age. Fits what Baileys calls a `CacheStore`. */
export class BoundedCache<V> {
  private readonly entries: Newest<{ value: V; until: number }>;

  constructor(private readonly limits: CacheLimits) {
    this.entries = new Newest(limits.most);
  }

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    if (entry.until > this.limits.clock.now()) return entry.value;
    this.entries.delete(key);
    return undefined;
  }

  set(key: string, value: V): void {
    this.entries.set(key, { value, until: this.limits.clock.now() + this.limits.ttlMs });
  }

  del(key: string): void {
    this.entries.delete(key);
  }

  flushAll(): void {
    this.entries.clear();
  }

  get size(): number {
    return this.entries.size;
  }
}
