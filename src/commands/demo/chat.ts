import { createInterface } from "node:readline";
import type { Terminal } from "../command.ts";
import type { DemoSession } from "./session.ts";
import { printReply, printSaid, prompt } from "./transcript.ts";

/** How long an input that is no terminal may say nothing before its first line, ms. */
const silenceMs = 3_000;

/**
 * Chats until the input ends or `signal` aborts. Answers how many lines there were; where the input is no terminal
 * and says nothing at first, it stops after three seconds, so that a pipe that nobody writes to does not hang.
 */
export async function chat(
  session: DemoSession,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { interactive } = terminal;
  const reader = createInterface({
    input: terminal.input,
    ...(interactive ? { output: process.stderr, prompt, terminal: true } : {}),
  });
  const close = () => reader.close();
  signal.addEventListener("abort", close, { once: true });
  reader.on("SIGINT", close);
  const silence = interactive ? null : setTimeout(close, silenceMs);
  let count = 0;
  try {
    if (interactive) reader.prompt();
    for await (const line of reader) {
      if (silence) clearTimeout(silence);
      if (line.trim() !== "") {
        count++;
        if (!interactive) printSaid(terminal, line);
        printReply(terminal, await session.ask(line));
      }
      if (signal.aborted) break;
      if (interactive) reader.prompt();
    }
  } finally {
    if (silence) clearTimeout(silence);
    signal.removeEventListener("abort", close);
    reader.close();
  }
  return count;
}
