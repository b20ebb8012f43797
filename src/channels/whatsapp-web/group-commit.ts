import type { KeyChange, KeyStore } from "./key-store.ts";
import type { SessionDatabase } from "./session-database.ts";

/** What one transaction wants on disk: key changes, and what must be written together with them. */
export interface Staged {
  changes: KeyChange[];
  alongside: (() => void)[];
}

interface Batch {
  staged: Staged[];
  done: (() => void)[];
  failed: ((error: unknown) => void)[];
}

/**
 * Writes everything that was staged in one turn of the event loop as one transaction: a message to a hundred devices
 * costs one wait for the disk, and so do messages of a hundred chats. What is staged can be read at once; the outside
 * may hear of it only {@link afterwards}.
 */
export class GroupCommit {
  /** Nothing of a batch could be written. */
  onFailed: (error: unknown) => void = () => {};
  /** Rises when staged changes were lost, so that whoever read them knows. */
  generation = 0;
  private batch: Batch | null = null;
  private readonly overlay = new Map<string, string | null>();

  constructor(
    private readonly database: SessionDatabase,
    private readonly store: KeyStore,
  ) {}

  get(type: string, id: string): string | undefined {
    const staged = this.overlay.get(overlayKey(type, id));
    return staged === undefined ? this.store.get(type, id) : (staged ?? undefined);
  }

  /** Whether something staged is not on disk yet. */
  get waits(): boolean {
    return this.batch !== null;
  }

  /** Into the batch that is written next. */
  stage(staged: Staged): void {
    if (staged.changes.length === 0 && staged.alongside.length === 0) return;
    for (const { type, id, json } of staged.changes) this.overlay.set(overlayKey(type, id), json);
    this.open().staged.push(staged);
  }

  /**
   * Runs `done` once everything staged so far is on disk, in the order of the calls and at once where nothing waits;
   * `failed` where it cannot be written.
   */
  afterwards(done: () => void, failed: (error: unknown) => void = () => {}): void {
    if (this.batch === null) return done();
    this.batch.done.push(done);
    this.batch.failed.push(failed);
  }

  /** Resolves once everything staged so far is on disk; rejects where it cannot be written. */
  written(): Promise<void> {
    return new Promise((resolve, reject) => this.afterwards(resolve, reject));
  }

  /** Writes at once what waits. */
  flush(): void {
    const { batch } = this;
    if (batch === null) return;
    this.batch = null;
    try {
      this.database.transaction(() => {
        for (const { changes, alongside } of batch.staged) {
          this.store.apply(changes);
          for (const write of alongside) write();
        }
      });
    } catch (error) {
      this.overlay.clear();
      this.generation++;
      for (const failed of batch.failed) failed(error);
      this.onFailed(error);
      return;
    }
    this.overlay.clear();
    for (const done of batch.done) done();
  }

  private open(): Batch {
    if (this.batch === null) {
      this.batch = { staged: [], done: [], failed: [] };
      setImmediate(() => this.flush());
    }
    return this.batch;
  }
}

function overlayKey(type: string, id: string): string {
  return `${type}\0${id}`;
}
