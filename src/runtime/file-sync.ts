import { closeSync, fdatasync, fdatasyncSync, fsync, fsyncSync, openSync } from "node:fs";

/** The system's two ways to ask for that: `begin` answers beside the event loop, `wait` holds it up. */
interface SystemCalls {
  begin(fd: number, done: (error: Error | null) => void): void;
  wait(fd: number): void;
}

/** fdatasync, where the system is known to have it: of all that a system notes of a file, a log needs its length alone. */
const calls: SystemCalls =
  process.platform === "linux"
    ? { begin: fdatasync, wait: fdatasyncSync }
    : { begin: fsync, wait: fsyncSync };

/**
 * ms. The threads beside the event loop are few, two on a small machine, and a name server that is silent holds one for
 * each name. Nor may those who wait for a disk that hangs become more and more: they are kept out with everybody else.
 */
const PATIENCE = 1000;

/**
 * Brings what was written to one file to the disk, beside the event loop: a disk takes a fraction of a millisecond for
 * that, an SD card tens of them. One such wait at a time; a long one holds up the event loop in the end.
 *
 * Where the disk fails, the kernel may take what it could not write for written, and the next call would confirm it
 * (https://wiki.postgresql.org/wiki/Fsync_Errors). So a failure is thrown where nobody catches it, and ends the process.
 */
export class FileSync {
  /** Of either call its own: Linux tells a descriptor of a failure once, and the other call is to hear of it as well. */
  readonly #beside: number;
  readonly #here: number;
  #done: (() => void) | null = null;
  #losePatience: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | null = null;
  /** Calls that the system still works on. */
  #running = 0;
  #closed = false;

  constructor(
    readonly path: string,
    private readonly system: SystemCalls = calls,
  ) {
    this.#beside = openSync(path, "r+");
    this.#here = openSync(path, "r+");
  }

  /** Calls `done` once all that was written before is on the disk. Not before the last one was called. */
  begin(done: () => void): void {
    this.#done = done;
    this.#losePatience = setTimeout(() => this.finish(), PATIENCE);
    this.#running++;
    this.system.begin(this.#beside, (error) => {
      this.#running--;
      this.#release();
      if (error) throw this.#failed(error);
      if (this.#done === done) this.#settle();
    });
  }

  /** Returns once all that was written is on the disk, and what was begun is done. */
  finish(): void {
    // The system may know nothing of it any more.
    if (this.#failure) throw this.#failure;
    try {
      this.system.wait(this.#here);
    } catch (error) {
      const failure = this.#failed(error);
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
    closeSync(this.#here);
    this.#release();
  }

  #settle(): void {
    clearTimeout(this.#losePatience);
    const done = this.#done;
    this.#done = null;
    done?.();
  }

  /** Under a descriptor that is in use no other file may come. */
  #release(): void {
    if (this.#closed && this.#running === 0) closeSync(this.#beside);
  }

  #failed(error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure = new Error(
      `the disk did not confirm what was written to ${this.path} (${reason})`,
    );
    return this.#failure;
  }
}
