import type { Terminal } from "../command.ts";
import type { DemoSession } from "./session.ts";
import { printReply, printSaid } from "./transcript.ts";

/** What the demo shows where nobody is there to type: two messages, and one of them delivered twice. */
export async function playScript(session: DemoSession, terminal: Terminal): Promise<void> {
  const hello = "Hello! Is anybody there?";
  printSaid(terminal, hello);
  const first = await session.ask(hello);
  printReply(terminal, first);
  terminal.out("        (the same webhook once more, as platforms may send it)\n");
  await session.repeat(first.id, hello);
  const greeting = "Grüße aus Köln 👋";
  printSaid(terminal, greeting);
  printReply(terminal, await session.ask(greeting));
}
