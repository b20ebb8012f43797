import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Terminal } from "../command.ts";

export interface Question {
  text: string;
  /** Taken when the person only presses Enter. */
  fallback?: string;
  /** Not echoed. */
  secret?: boolean;
  /** What is wrong with the answer, or null. */
  check?(answer: string): string | null;
}

export interface Prompt {
  ask(question: Question): Promise<string>;
  close(): void;
}

/** Asks on the terminal, again until the answer is usable. Rejects with an AbortError at Ctrl-C or end of input. */
export function terminalPrompt(terminal: Terminal): Prompt {
  let hidden = false;
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      if (!hidden) terminal.err(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: terminal.input, output, terminal: terminal.interactive });
  const ended = new AbortController();
  lines.on("close", () => ended.abort());
  return {
    async ask(question) {
      const label = question.fallback ? `${question.text} [${question.fallback}]` : question.text;
      for (;;) {
        terminal.err(`${label}: `);
        hidden = question.secret === true;
        const typed = (await lines.question("", { signal: ended.signal })).trim();
        if (hidden) terminal.err("\n");
        hidden = false;
        const answer = typed === "" ? (question.fallback ?? "") : typed;
        const problem = question.check?.(answer) ?? null;
        if (problem === null) return answer;
        terminal.err(`  ${problem}\n`);
      }
    },
    close: () => lines.close(),
  };
}
