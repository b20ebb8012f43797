import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { errorCode } from "../runtime/error-code.ts";
import type { LogDestination } from "./log.ts";

/** Lines are held back no further than this, characters. */
const mostHeldBack = 64 * 1024;
/** What waits for a reader, bytes; beyond it lines are left out. */
const mostWaiting = 1024 * 1024;
const lineFeed = 0x0a;
/** How often a full pipe is tried again, ms. */
const retryMs = 5;
/** How long an exit waits for a reader, ms. */
const exitMs = 500;

/**
 * Standard error. The lines of one turn of the event loop go out in one write, the rest at `flush` and, as far as its
 * reader takes them, when the process exits or crashes: only a kill can cost the lines of its last turn. A pipe whose
 * reader is slow or stops is not waited for (Linux).
 */
export function stderrDestination(): LogDestination {
  const writer = new Writer();
  let held = "";
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    if (held === "") return;
    const text = held;
    held = "";
    writer.write(text);
  };
  process.on("exit", () => {
    flush();
    writer.finish();
    // What was left out may have been told only now.
    flush();
  });
  return {
    write(line) {
      held += line;
      if (held.length >= mostHeldBack) flush();
      else if (!scheduled) {
        scheduled = true;
        setImmediate(flush);
      }
    },
    flush,
    onLeftOut: (listener) => {
      writer.leftOut = listener;
    },
  };
}

/**
 * A handle on standard error that does not wait. Whoever started Revka may have left the pipe one that waits for its
 * reader; opened anew (Linux) it is Revka's own to say. What cannot be opened anew is written to as it is: another
 * account's pipe, a socket, a terminal.
 */
function openWithoutWaiting(): number {
  try {
    if (!fstatSync(2).isFIFO()) return 2;
    return openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return 2;
  }
}

class Writer {
  leftOut: (lines: number) => void = () => {};
  readonly #descriptor = openWithoutWaiting();
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #linesLeftOut = 0;
  /** What was written last ends within a line. */
  #torn = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  write(text: string): void {
    // The rest of that line was left out.
    const bytes = Buffer.from(this.#torn && this.#waitingBytes === 0 ? `\n${text}` : text);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > mostWaiting) {
      return this.#leaveOut(bytes);
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#drain();
  }

  #leaveOut(bytes: Buffer): void {
    this.#linesLeftOut += bytes.toString().split("\n").filter(Boolean).length;
  }

  /** Waits for the reader, but not for ever. */
  finish(): void {
    const wait = new Int32Array(new SharedArrayBuffer(4));
    for (const end = performance.now() + exitMs; performance.now() < end;) {
      this.#drain();
      if (this.#waitingBytes === 0) return;
      Atomics.wait(wait, 0, 0, 2);
    }
  }

  /** Writes what the reader takes now; the rest is tried again. */
  #drain(): void {
    clearTimeout(this.#timer);
    try {
      for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
        const written = writeSync(this.#descriptor, next);
        this.#waitingBytes -= written;
        this.#torn = next[written - 1] !== lineFeed;
        if (written < next.length) this.#waiting[0] = next.subarray(written);
        else this.#waiting.shift();
      }
    } catch (error) {
      if (errorCode(error) === "EAGAIN") {
        this.#timer = setTimeout(() => this.#drain(), retryMs);
        this.#timer.unref?.();
        return;
      }
      // Said where it can be: a full disk may have room again, and nobody reads after EPIPE.
      for (const bytes of this.#waiting.splice(0)) this.#leaveOut(bytes);
      this.#waitingBytes = 0;
      return;
    }
    const lines = this.#linesLeftOut;
    this.#linesLeftOut = 0;
    if (lines > 0) this.leftOut(lines);
  }
}
