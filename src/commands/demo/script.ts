import type { Terminal } from "../command.ts";
import type { DemoSession } from "./session.ts";
import { printReply, printSaid } from "./transcript.ts";

const lines = ["Hello! Is anybody there?", "Grüße aus Köln 👋"] as const;

/** What the demo shows where nobody is there to type: two messages, and one of them delivered twice. */
export async function playScript(session: DemoSession, terminal: Terminal): Promise<void> {
  const [hello, greeting] = lines;
  printSaid(terminal, hello);
  const first = await session.ask(hello);
  printReply(terminal, first);
  terminal.out("        (the same webhook once more, as platforms may send it)\n");
  await session.platform.writeAgain(first.id, hello);
  printSaid(terminal, greeting);
  const second = await session.ask(greeting);
  printReply(terminal, second);
  const answers = session.platform.received().length;
  const fine = answers === lines.length;
  terminal.out(
    `\n3 webhooks, 2 messages, ${answers} answers: ` +
      (fine ? "nothing lost, nothing answered twice.\n" : "that is not one answer a message!\n"),
  );
  if (!fine) throw new Error(`${answers} answers for ${lines.length} messages`);
}
