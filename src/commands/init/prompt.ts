import { createInterface } from "node:readline";
import type { Terminal } from "../command.ts";
import { Echo } from "../echo.ts";

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
  const output = new Echo(terminal);
  const lines = createInterface({ input: terminal.input, output, terminal: terminal.interactive });
  const ahead: string[] = [];
  let closed = false;
  let wake = () => {};
  lines.on("line", (line) => {
    output.shown = false;
    ahead.push(line);
    wake();
  });
  lines.on("close", () => {
    closed = true;
    wake();
  });
  const answer = async (label: string, secret: boolean): Promise<string> => {
    const typing = ahead.length === 0;
    // Only while an answer that may be seen is being typed: what is pasted ahead could belong to a secret question.
    output.shown = typing && !secret && !closed;
    if (output.shown) {
      // Readline's own prompt, since it draws the line anew, and the question with it, where a key is taken back.
      lines.setPrompt(label);
      lines.prompt(true);
    } else terminal.err(label);
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
        const given =
          (await answer(`${label}: `, question.secret === true)) || (question.fallback ?? "");
        const problem = question.check?.(given) ?? null;
        if (problem === null) return given;
        terminal.err(`  ${problem}\n`);
      }
    },
    close: () => lines.close(),
  };
}
