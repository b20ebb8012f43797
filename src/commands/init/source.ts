import { readFileSync } from "node:fs";
import { UsageError } from "../command.ts";
import type { Prompt, Question } from "./prompt.ts";

/** Where answers come from: flags first, then the person, if one is there. */
export interface AnswerSource {
  /** The answer, "" where it may be left out. */
  ask(flag: string, question: Question): Promise<string>;
  /** Throws {@link UsageError} naming every flag that nobody could be asked for, or that nothing asked for. */
  finish(): void;
}

/** `prompt` is null without a terminal. A flag's value `@FILE` stands for the file's text, so that no secret is typed. */
export function answerSource(
  options: Readonly<Record<string, string | true>>,
  prompt: Prompt | null,
): AnswerSource {
  const missing: string[] = [];
  const asked = new Set<string>();
  return {
    async ask(flag, question) {
      asked.add(flag);
      const given = options[flag];
      if (typeof given === "string") {
        const value = given.startsWith("@") ? fileText(flag, given.slice(1)) : given;
        const problem = question.check?.(value) ?? null;
        if (problem) throw new UsageError(`--${flag}: ${problem}`);
        return value;
      }
      if (prompt) return prompt.ask(question);
      const answer = question.fallback ?? "";
      if (question.check?.(answer)) missing.push(`--${flag}`);
      return answer;
    },
    finish() {
      if (missing.length > 0) {
        throw new UsageError(`there is no terminal to ask on; add ${missing.join(", ")}`);
      }
      const idle = Object.keys(options).filter((flag) => !asked.has(flag));
      if (idle.length > 0) {
        const flags = idle.map((flag) => `--${flag}`).join(", ");
        throw new UsageError(`${flags}: of no use with this channel and this agent`);
      }
    },
  };
}

function fileText(flag: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch {
    throw new UsageError(`--${flag}: the file ${path} cannot be read`);
  }
  if (text === "") throw new UsageError(`--${flag}: the file ${path} is empty`);
  return text;
}
