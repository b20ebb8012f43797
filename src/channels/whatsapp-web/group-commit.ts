import { Newest } from "../../runtime/newest.ts";
import { type HeldValue, type KeyStore, holdValue, jsonOf, valueOf } from "./key-store.ts";
import type { SessionDatabase } from "./session-database.ts";

/** Values kept for the next time, a few KiB each at most; what was used longest ago goes first. */
const MOST_KEPT = 1024;

/** A value under (type, id); null deletes. */
export interface HeldChange {
  type: string;
  id: string;
  held: HeldValue | null;
}

/** What one transaction wants on disk: key changes, and what must be written together with them. */
export interface Staged {
  changes: HeldChange[];
  alongside: (() => void)[];
}

interface Batch {
  staged: Staged[];
  done: (() => void)[];
  failed: ((error: unknown) => void)[];
}

/**
 * Writes everything that was staged in one turn of the event loop, or while the last batch is on its way to the disk, as
 * one transaction: a message to a hundred devices costs one wait for the disk, and so do messages of a hundred chats.
 * What is staged can be read at once; the outside may hear of it only {@link afterwards}.
 */
export class GroupCommit {
  /** Nothing of a batch could be written, or the session not be read. */
  onFailed: (error: unknown) => void = () => {};
  /** Rises when staged changes were lost, so that whoever read them knows, and when something could not be read. */
  generation = 0;
  private batch: Batch | null = null;
  /** Committed, and on its way to the disk. */
  private syncing: Batch | null = null;
  /** What waits, each value as it was staged last. */
  private readonly overlay = new Map<string, HeldChange>();
  /** What is in the file; undefined where nothing is. */
  private readonly kept = new Newest<HeldValue | undefined>(MOST_KEPT);

  constructor(
    private readonly database: SessionDatabase,
    private readonly store: KeyStore,
  ) {
    database.log.onFree = () => {
      if (this.batch) this.writeSoon();
    };
  }

  get(type: string, id: string): HeldValue | undefined {
    const key = overlayKey(type, id);
    const staged = this.overlay.get(key);
    if (staged) return staged.held ?? undefined;
    const known = this.kept.has(key);
    const held = known ? this.kept.get(key) : this.read(type, id);
    this.kept.set(key, held);
    return held;
  }

  /** Whether something staged is not on disk yet. */
  get waits(): boolean {
    return (this.batch ?? this.syncing) !== null;
  }

  /** Into the batch that is written next. */
  stage(staged: Staged): void {
    if (staged.changes.length === 0 && staged.alongside.length === 0) return;
    for (const change of staged.changes) {
      this.overlay.set(overlayKey(change.type, change.id), change);
    }
    this.open().staged.push(staged);
  }

  /**
   * Runs `done` once everything staged so far is on disk, in the order of the calls and at once where nothing waits;
   * `failed` where it cannot be written.
   */
  afterwards(done: () => void, failed: (error: unknown) => void = () => {}): void {
    const last = this.batch ?? this.syncing;
    if (last === null) return done();
    last.done.push(done);
    last.failed.push(failed);
  }

  /** Resolves once everything staged so far is on disk; rejects where it cannot be written. */
  written(): Promise<void> {
    return new Promise((resolve, reject) => this.afterwards(resolve, reject));
  }

  /** Writes at once what waits, and waits for the disk. */
  flush(): void {
    if (!this.waits) return;
    this.database.log.finish();
    this.write();
    this.database.log.finish();
  }

  private write(): void {
    const { batch } = this;
    if (batch === null) return;
    this.batch = null;
    try {
      this.database.commit(() => {
        for (const { type, id, held } of this.overlay.values()) {
          this.store.apply([{ type, id, json: held === null ? null : jsonOf(held) }]);
        }
        for (const { alongside } of batch.staged) for (const write of alongside) write();
      });
    } catch (error) {
      this.overlay.clear();
      this.generation++;
      for (const failed of batch.failed) failed(error);
      this.onFailed(error);
      return;
    }
    for (const [key, { held }] of this.overlay) this.kept.set(key, held ?? undefined);
    this.overlay.clear();
    this.syncing = batch;
    this.database.log.committed(() => {
      this.syncing = null;
      for (const done of batch.done) done();
    });
  }

  private writeSoon(): void {
    setImmediate(() => {
      if (this.database.log.free) this.write();
    });
  }

  /**
   * What `look` reads from the session. Where the disk refuses that, nothing may leave any more either: a message
   * would seem unreadable, and be refused.
   */
  reading<T>(look: () => T): T {
    try {
      return look();
    } catch (error) {
      if (isPassing(error)) {
        this.generation++;
        this.onFailed(error);
      }
      throw error;
    }
  }

  private read(type: string, id: string): HeldValue | undefined {
    const json = this.reading(() => this.store.get(type, id));
    return json === undefined || type !== "session" ? json : holdValue(type, valueOf(type, json));
  }

  private open(): Batch {
    if (this.batch === null) {
      this.batch = { staged: [], done: [], failed: [] };
      if (this.database.log.free) this.writeSoon();
    }
    return this.batch;
  }
}

/** SQLite's busy, out of memory, I/O error, full, cannot open (sqlite.org/rescode.html); damage does not pass. */
const passing = new Set([5, 7, 10, 13, 14]);

export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || !("errcode" in error)) return false;
  return typeof error.errcode === "number" && passing.has(error.errcode & 0xff);
}

function overlayKey(type: string, id: string): string {
  return `${type}\0${id}`;
}
