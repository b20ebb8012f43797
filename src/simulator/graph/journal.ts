export interface WaitOptions<T> {
  /** Only entries it accepts count. */
  where?: (entry: T) => boolean;
  /** How many entries must be there; 1 when absent. */
  count?: number;
  /** Milliseconds; 5,000 when absent. */
  timeoutMs?: number;
}

interface Waiter<T> {
  where: (entry: T) => boolean;
  found: T[];
  count: number;
  done(found: T[]): void;
}

/** What happened, in order, and a way to wait for it. */
export class Journal<T> {
  readonly entries: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();

  constructor(readonly name: string) {}

  add(entry: T): T {
    this.entries.push(entry);
    for (const waiter of this.#waiters) {
      if (!waiter.where(entry)) continue;
      waiter.found.push(entry);
      if (waiter.found.length >= waiter.count) waiter.done(waiter.found);
    }
    return entry;
  }

  /** Resolves with the first `count` entries that match, past ones included; rejects when time is up. */
  waitFor(options: WaitOptions<T> = {}): Promise<T[]> {
    const where = options.where ?? (() => true);
    const count = options.count ?? 1;
    const found: T[] = [];
    for (const entry of this.entries) {
      if (found.length >= count) break;
      if (where(entry)) found.push(entry);
    }
    if (found.length >= count) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        where,
        found,
        count,
        done: (all) => {
          this.#waiters.delete(waiter);
          clearTimeout(timer);
          resolve(all);
        },
      };
      const timeoutMs = options.timeoutMs ?? 5000;
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(
          new Error(
            `waited ${timeoutMs} ms for ${count} of "${this.name}", saw ${found.length} ` +
              `(${this.entries.length} in all)`,
          ),
        );
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  clear(): void {
    this.entries.length = 0;
  }
}
