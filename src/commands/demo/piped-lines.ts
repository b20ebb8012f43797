import { createInterface } from "node:readline";
import type { Terminal } from "../command.ts";

/** How long an input that is no terminal may say nothing before its first line, ms. */
const silenceMs = 3_000;

/**
 * Lines of an input that is no terminal, until it ends or `signal` aborts. Where it says nothing at first, it is left
 * after three seconds, so that a pipe that nobody writes to does not hang.
 */
export async function* pipedLines(terminal: Terminal, signal: AbortSignal): AsyncGenerator<string> {
  const reader = createInterface({ input: terminal.input });
  const close = () => reader.close();
  const silence = setTimeout(close, silenceMs);
  signal.addEventListener("abort", close, { once: true });
  try {
    for await (const line of reader) {
      clearTimeout(silence);
      yield line;
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", close);
    reader.close();
  }
}
