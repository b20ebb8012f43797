import type { KeyChange, KeyStore } from "./key-store.ts";
import type { SessionDatabase } from "./session-database.ts";

/** What one transaction wants on disk: key changes, and what must be written together with them. */
export interface Staged {
  changes: KeyChange[];
  alongside: (() => void)[];
}

/**
 * Writes everything that was staged in one turn of the event loop as one transaction: a message to a hundred devices
 * costs one wait for the disk. What is staged can be read at once; whoever staged it may tell the outside only after
 * its promise resolves.
 */
export class GroupCommit {
  private waiting: { staged: Staged; resolve: () => void; reject: (error: unknown) => void }[] = [];
  private readonly overlay = new Map<string, string | null>();

  constructor(
    private readonly database: SessionDatabase,
    private readonly store: KeyStore,
    private readonly onCommitted: (staged: Staged[]) => void = () => {},
    /** Nothing of it is on disk. Called before anybody who staged it hears of that. */
    private readonly onFailed: (error: unknown) => void = () => {},
  ) {}

  get(type: string, id: string): string | undefined {
    const staged = this.overlay.get(overlayKey(type, id));
    return staged === undefined ? this.store.get(type, id) : (staged ?? undefined);
  }

  /** Resolves once it is on disk; rejects where nothing of it is. */
  stage(staged: Staged): Promise<void> {
    if (staged.changes.length === 0 && staged.alongside.length === 0) return Promise.resolve();
    for (const { type, id, json } of staged.changes) this.overlay.set(overlayKey(type, id), json);
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(() => this.flush());
      this.waiting.push({ staged, resolve, reject });
    });
  }

  /** Writes at once what waits. */
  flush(): void {
    const batch = this.waiting;
    if (batch.length === 0) return;
    this.waiting = [];
    try {
      this.database.transaction(() => {
        for (const { staged } of batch) {
          this.store.apply(staged.changes);
          for (const write of staged.alongside) write();
        }
      });
    } catch (error) {
      this.overlay.clear();
      this.onFailed(error);
      for (const { reject } of batch) reject(error);
      return;
    }
    this.overlay.clear();
    for (const { resolve } of batch) resolve();
    this.onCommitted(batch.map(({ staged }) => staged));
  }
}

function overlayKey(type: string, id: string): string {
  return `${type}\0${id}`;
}
