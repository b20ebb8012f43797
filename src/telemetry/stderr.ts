import { writeSync } from "node:fs";
import type { LogDestination } from "./log.ts";

/** How often a full pipe is tried again before lines are given up: about 100 ms, so a dead reader cannot stop Revka. */
const tries = 50;

/** Lines are held back no further than this, characters. */
const mostHeldBack = 64 * 1024;

/**
 * Standard error. The lines of one turn of the event loop go out in one write, the rest at `flush` and, without fail,
 * when the process exits or crashes: only a kill can cost the lines of its last turn.
 */
export function stderrDestination(): LogDestination {
  let held = "";
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    if (held === "") return;
    const bytes = Buffer.from(held);
    held = "";
    writeAll(bytes);
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

function writeAll(bytes: Uint8Array): void {
  const wait = new Int32Array(new SharedArrayBuffer(4));
  for (let offset = 0, left = tries; offset < bytes.length && left > 0;) {
    try {
      offset += writeSync(2, bytes, offset);
      left = tries;
    } catch (error) {
      // Nobody reads any more (EPIPE, EIO): there is nowhere to say so.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      left--;
      Atomics.wait(wait, 0, 0, 2);
    }
  }
}
