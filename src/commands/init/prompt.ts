import { createInterface } from "node:readline";
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

/** The person pressed Ctrl-C, or the input ended. */
export class PromptEnded extends Error {
  override readonly name = "PromptEnded";
}

/** Asks on the terminal, again until the answer is usable. Rejects with {@link PromptEnded}. */
export function terminalPrompt(terminal: Terminal): Prompt {
  // On only while an answer that may be seen is being typed: what is pasted ahead could belong to a secret question.
  let echo = false;
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      if (echo) terminal.err(String(chunk));
      done();
    },
  });
  const lines = createInterface({ input: terminal.input, output, terminal: terminal.interactive });
  const ahead: string[] = [];
  let closed = false;
  let wake = () => {};
  lines.on("line", (line) => {
    echo = false;
    ahead.push(line);
    wake();
  });
  lines.on("close", () => {
    closed = true;
    wake();
  });
  const answer = async (secret: boolean): Promise<string> => {
    const typing = ahead.length === 0;
    echo = typing && !secret;
    while (ahead.length === 0) {
      if (closed) {
        if (terminal.interactive) terminal.err("\n");
        throw new PromptEnded("the input ended");
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
    const line = ahead.shift() ?? "";
    if (secret) terminal.err("\n");
    else if (!typing) terminal.err(`${line}\n`);
    return line.trim();
  };
  return {
    async ask(question) {
      const label = question.fallback ? `${question.text} [${question.fallback}]` : question.text;
      for (;;) {
        terminal.err(`${label}: `);
        const given = (await answer(question.secret === true)) || (question.fallback ?? "");
        const problem = question.check?.(given) ?? null;
        if (problem === null) return given;
        terminal.err(`  ${problem}\n`);
      }
    },
    close: () => lines.close(),
  };
}
