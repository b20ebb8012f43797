import { closeSync, fdatasync, fdatasyncSync, fsync, fsyncSync, openSync } from "node:fs";

/** What SQLite itself calls: fdatasync where the system is known to have it. */
const [begin, wait] =
  process.platform === "linux" ? [fdatasync, fdatasyncSync] : [fsync, fsyncSync];

/**
 * Brings what was written to one file to the disk, beside the event loop: a disk takes a fraction of a millisecond for
 * that, an SD card tens of them. One such wait at a time.
 *
 * Where the disk fails, the kernel may take what it could not write for written, and the next call would confirm it
 * (https://wiki.postgresql.org/wiki/Fsync_Errors). So a failure is thrown where nobody catches it, and ends the process:
 * the next one reads from the file what is really there.
 */
export class FileSync {
  readonly #fd: number;
  #done: (() => void) | null = null;
  /** Calls that the system still works on. */
  #running = 0;
  #closed = false;

  constructor(readonly path: string) {
    this.#fd = openSync(path, "r+");
  }

  /** Calls `done` once all that was written before is on the disk. Not before the last one was called. */
  begin(done: () => void): void {
    this.#done = done;
    this.#running++;
    begin(this.#fd, (error) => {
      this.#running--;
      this.#release();
      // Told once: who asked after it may have been told that all is well.
      if (error) throw this.#failure(error);
      if (this.#done === done) this.#settle();
    });
  }

  /** Returns once all that was written is on the disk, and what was begun is done. */
  finish(): void {
    try {
      wait(this.#fd);
    } catch (error) {
      const failure = this.#failure(error);
      setImmediate(() => {
        throw failure;
      });
      throw failure;
    }
    this.#settle();
  }

  /** Call {@link finish} before. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #settle(): void {
    const done = this.#done;
    this.#done = null;
    done?.();
  }

  /** Under a descriptor that is in use no other file may come. */
  #release(): void {
    if (this.#closed && this.#running === 0) closeSync(this.#fd);
  }

  #failure(error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error);
    return new Error(`the disk did not confirm what was written to ${this.path} (${reason})`);
  }
}
