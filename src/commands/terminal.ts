import type { Terminal } from "./command.ts";

/** The terminal of this process. A reader that goes away (`revka … | head`) ends it quietly. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
    });
  }
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    input: process.stdin,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    color: process.stdout.isTTY === true && !process.env["NO_COLOR"],
  };
}
