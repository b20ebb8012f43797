/** The machine may be busy: only a test that fails waits so long. */
const PATIENCE_MS = 30_000;

/**
 * An append-only list that can be waited on.
 * Everything the double observes is kept in one of these, so a test never sleeps.
 */
export class Recorder<T> {
  readonly all: T[] = [];
  private readonly waiters = new Set<(item: T) => void>();

  constructor(private readonly what: string) {}

  get count(): number {
    return this.all.length;
  }

  add(item: T): void {
    this.all.push(item);
    for (const waiter of [...this.waiters]) waiter(item);
  }

  clear(): void {
    this.all.length = 0;
  }

  /**
   * The first item, past or future, that `matches`.
   * @throws when none came within `timeoutMs`; the error lists what did come.
   */
  waitFor(matches: (item: T) => boolean = () => true, timeoutMs = PATIENCE_MS): Promise<T> {
    const past = this.all.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    return this.until((item) => (matches(item) ? item : undefined), timeoutMs);
  }

  /** Resolves once at least `count` items match. */
  waitForCount(
    count: number,
    matches: (item: T) => boolean = () => true,
    timeoutMs = PATIENCE_MS,
  ): Promise<T[]> {
    const found = () => this.all.filter(matches);
    if (found().length >= count) return Promise.resolve(found());
    return this.until(() => (found().length >= count ? found() : undefined), timeoutMs);
  }

  private until<R>(look: (item: T) => R | undefined, timeoutMs: number): Promise<R> {
    return new Promise((resolve, reject) => {
      const waiter = (item: T) => {
        const result = look(item);
        if (result === undefined) return;
        done();
        resolve(result);
      };
      const timer = setTimeout(() => {
        done();
        const seen = JSON.stringify(this.all.slice(-5))?.slice(0, 600);
        reject(
          new Error(`no matching ${this.what} within ${timeoutMs} ms; ${this.count} came: ${seen}`),
        );
      }, timeoutMs);
      const done = () => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      this.waiters.add(waiter);
    });
  }
}
