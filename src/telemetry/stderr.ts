import { writeSync } from "node:fs";
import { Writable } from "node:stream";

/** How often a full pipe is tried again before a line is given up: about 100 ms, so a dead reader cannot stop Revka. */
const tries = 50;

/** Standard error, written at once: the last line before an exit or a crash comes out. */
export function stderrDestination(): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      writeAll(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      done();
    },
  });
}

function writeAll(bytes: Uint8Array): void {
  const wait = new Int32Array(new SharedArrayBuffer(4));
  for (let offset = 0, left = tries; offset < bytes.length && left > 0;) {
    try {
      offset += writeSync(2, bytes, offset);
    } catch (error) {
      // Nobody reads any more (EPIPE, EIO): there is nowhere to say so.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      left--;
      Atomics.wait(wait, 0, 0, 2);
    }
  }
}
