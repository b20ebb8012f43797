import type { Terminal } from "./command.ts";

/** The terminal of this process. A reader that goes away (`revka … | head`) ends it quietly. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", leave);
  return {
    out: (text) => void process.stdout.write(text, leave),
    err: (text) => void process.stderr.write(text, leave),
    input: process.stdin,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    color: process.stdout.isTTY === true && !process.env["NO_COLOR"],
  };
}

/** What cannot be written, a full disk for instance, is a failure: a script must not take half a document for whole. */
function leave(error: NodeJS.ErrnoException | null | undefined): void {
  if (!error) return;
  process.exit(error.code === "EPIPE" ? 0 : 1);
}
