import { errorCode } from "../runtime/error-code.ts";
import { isTerminal } from "../runtime/is-terminal.ts";
import { writeStandardOutput } from "../runtime/standard-output.ts";
import type { Terminal } from "./command.ts";

export interface ProcessTerminal extends Terminal {
  /** Resolves once everything said is out. */
  written(): Promise<void>;
}

/**
 * The terminal of this process. A reader that goes away (`revka … | head`, a window that is closed) ends it quietly.
 * Node's streams are touched only where they are needed: they load slowly.
 */
export function processTerminal(): ProcessTerminal {
  let queue = Promise.resolve();
  let waiting = 0;
  const inTurn = (descriptor: 1 | 2, write: () => Promise<void>) => {
    waiting++;
    queue = queue.then(write).catch((error: unknown) => leave(error, descriptor));
    queue = queue.then(() => void waiting--);
  };
  return {
    out: (text) => inTurn(1, () => writeStandardOutput(text)),
    err(text) {
      const written = waiting === 0 ? writeError(text) : null;
      // Written at once where nothing goes before it: what readline prompts next must come after it.
      inTurn(2, () => written ?? writeError(text));
    },
    get input() {
      return process.stdin;
    },
    get interactive() {
      return isTerminal(0) && isTerminal(2);
    },
    get color() {
      return isTerminal(1) && !process.env["NO_COLOR"];
    },
    get columns() {
      return isTerminal(2) ? process.stderr.columns : undefined;
    },
    written: () => queue,
  };
}

function writeError(text: string): Promise<void> {
  if (process.stderr.listenerCount("error") === 0)
    process.stderr.on("error", (error) => void leave(error, 2));
  return new Promise((resolve, reject) =>
    process.stderr.write(text, (error) => (error ? reject(error) : resolve())),
  );
}

/** What cannot be written, a full disk for instance, is a failure: a script must not take half a document for whole. */
async function leave(error: unknown, descriptor: 1 | 2): Promise<void> {
  const code = errorCode(error) ?? "unknown error";
  if (code === "EPIPE") process.exit(0);
  // Imported only here: the runtime starts faster without it.
  const { fstatSync, writeSync } = await import("node:fs");
  // A disk that fails is a file's; a terminal says so when it has hung up.
  if (code === "EIO" && fstatSync(descriptor).isCharacterDevice()) process.exit(0);
  try {
    writeSync(2, `revka: standard output cannot be written (${code})\n`);
  } catch {
    // Nobody can be told.
  }
  process.exit(1);
}
