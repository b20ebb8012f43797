import { createInterface } from "node:readline";
import type { Terminal } from "../command.ts";
import { Echo } from "../echo.ts";
import { prompt } from "./transcript.ts";

/**
 * Lines that a person types at a terminal, each behind the prompt, until Ctrl-D or an interruption. Between a line and
 * the wish for the next one nothing that is typed shows: it is kept, and stands behind the prompt when its turn comes,
 * so that the terminal belongs to what is printed meanwhile. Interrupts at Ctrl-C and where the terminal hangs up.
 */
export async function* typedLines(
  terminal: Terminal,
  interruption: AbortController,
): AsyncGenerator<string> {
  const { signal } = interruption;
  // Keys end only with the terminal, and that may be known of before its signal. Heard before the reader hears it.
  const hangUp = () => interruption.abort("SIGHUP");
  for (const event of ["end", "error"]) terminal.input.once(event, hangUp);
  const output = new Echo(terminal);
  const reader = createInterface({ input: terminal.input, output, prompt, terminal: true });
  const ahead: string[] = [];
  let closed = false;
  let wake = () => {};
  reader.on("line", (line) => {
    output.shown = false;
    ahead.push(line);
    wake();
  });
  const end = () => {
    closed = true;
    // What is printed next, by the shell at the latest, begins a line. A terminal that hung up takes nothing.
    if (output.shown && signal.reason !== "SIGHUP") terminal.err("\n");
    output.shown = false;
    wake();
  };
  reader.on("close", end);
  // A terminal that hung up can be neither read nor given back as it was.
  reader.on("error", end);
  reader.on("SIGINT", () => interruption.abort("SIGINT"));
  const close = () => reader.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    for (;;) {
      let line = ahead.shift();
      if (line !== undefined) terminal.err(`${prompt}${line}\n`);
      while (line === undefined) {
        if (closed) return;
        output.shown = true;
        // The cursor stays where it is in what was typed ahead.
        reader.prompt(true);
        await new Promise<void>((resolve) => (wake = resolve));
        line = ahead.shift();
      }
      yield line;
    }
  } finally {
    for (const event of ["end", "error"]) terminal.input.removeListener(event, hangUp);
    signal.removeEventListener("abort", close);
    reader.close();
  }
}
