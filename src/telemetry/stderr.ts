import { constants, fstatSync, openSync, writeSync } from "node:fs";
import type { LogDestination } from "./log.ts";

/** How often a full pipe is tried again before lines are given up: about 0.5 s, so a dead reader cannot stop Revka. */
const tries = 250;

/** Lines are held back no further than this, characters. */
const mostHeldBack = 64 * 1024;

const newline = 10;

/**
 * Standard error. The lines of one turn of the event loop go out in one write, the rest at `flush` and, without fail,
 * when the process exits or crashes: only a kill can cost the lines of its last turn.
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
  process.on("exit", flush);
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
  };
}

/**
 * A handle on standard error that does not wait. Whoever started Revka may have left the pipe one that waits for its
 * reader; opened anew (Linux) it is Revka's own to say. What cannot be opened anew is written to as it is.
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
  readonly #descriptor = openWithoutWaiting();
  readonly #wait = new Int32Array(new SharedArrayBuffer(4));
  /** What was said last did not go out whole: the reader is not waited for until it reads again. */
  #stalled = false;
  #lineIsOpen = false;

  write(text: string): void {
    const bytes = Buffer.from(this.#lineIsOpen ? `\n${text}` : text);
    let offset = 0;
    for (let left = this.#stalled ? 1 : tries; offset < bytes.length && left > 0;) {
      try {
        offset += writeSync(this.#descriptor, bytes, offset);
        left = tries;
      } catch (error) {
        // Nobody reads any more (EPIPE, EIO): there is nowhere to say so.
        if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
        left--;
        if (left > 0) Atomics.wait(this.#wait, 0, 0, 2);
      }
    }
    this.#stalled = offset < bytes.length;
    if (offset > 0) this.#lineIsOpen = bytes[offset - 1] !== newline;
  }
}
