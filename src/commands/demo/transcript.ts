import type { Terminal } from "../command.ts";
import type { Reply } from "./session.ts";

/** Names of the two sides, of one width. */
const you = "you   ";
const revka = "revka ";

export const prompt = `${you}> `;

/** A line of the customer, where no terminal shows what was typed. */
export function printSaid(terminal: Terminal, text: string): void {
  terminal.out(`${paint(terminal, "1", you)}> ${text}\n`);
}

/** What came back, with what the customer saw meanwhile. */
export function printReply(terminal: Terminal, reply: Reply): void {
  const notes = [reply.seen, `${Math.round(reply.tookMs)} ms`].filter((note) => note !== null);
  terminal.out(paint(terminal, "2", `        ${notes.join(", ")}\n`));
  for (const text of reply.texts) {
    const indented = text.replaceAll("\n", "\n        ");
    terminal.out(`${paint(terminal, "1;32", revka)}> ${indented}\n`);
  }
}

function paint(terminal: Terminal, code: string, text: string): string {
  return terminal.color ? `\u001b[${code}m${text}\u001b[0m` : text;
}
