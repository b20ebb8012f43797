import type { Terminal } from "../command.ts";
import { pipedLines } from "./piped-lines.ts";
import type { DemoSession } from "./session.ts";
import { printReply, printSaid } from "./transcript.ts";
import { typedLines } from "./typed-lines.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/**
 * Chats until the input ends or is interrupted; what was said before an end is answered first. Answers how many lines
 * there were.
 */
export async function chat(
  session: DemoSession,
  terminal: Terminal,
  interruption: AbortController,
): Promise<number> {
  const { signal } = interruption;
  const typed = terminal.interactive;
  const lines = typed ? typedLines(terminal, interruption) : pipedLines(terminal, signal);
  let count = 0;
  for await (const line of lines) {
    if (signal.aborted) break;
    if (line.trim() === "") continue;
    count++;
    if (!typed) printSaid(terminal, line);
    const reply = await untilInterrupted(session.ask(line), signal);
    if (reply === null) break;
    printReply(terminal, reply);
  }
  return count;
}
