import type { Readable } from "node:stream";
import type { LogLevel } from "../telemetry/levels.ts";

export const exitCode = { fine: 0, failed: 1, usage: 2, config: 78 } as const;

/** Where a command speaks and listens; a test hands it another. */
export interface Terminal {
  /** Results: what a pipe wants to read. */
  out(text: string): void;
  /** Everything for the person: progress, warnings, errors. */
  err(text: string): void;
  input: Readable;
  /** A person can answer questions: input and error output are both terminals. */
  interactive: boolean;
  /** Colour on `out`: it is a terminal and NO_COLOR is unset. */
  color: boolean;
  /** Width of a line of `err`; absent where that is no terminal. */
  columns?: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** One call of a command: its words, parsed, and the world it may touch. */
export interface Invocation {
  /** Options by name without dashes; a flag is `true`, a missing one absent. */
  options: Readonly<Record<string, string | true>>;
  positionals: readonly string[];
  /** `--config FILE`, as given. */
  configFile: string | undefined;
  /** `--log-level`, else REVKA_LOG, else undefined. */
  logLevel: LogLevel | undefined;
  env: Environment;
  terminal: Terminal;
}

export interface OptionSpec {
  /** Placeholder of the value, such as `FILE`; absent for a flag. */
  value?: string;
  description: string;
}

export interface Command {
  /** Words after `revka`, such as `send --to TARGET TEXT`. */
  usage: string;
  /** One or two sentences under the usage line. */
  about: string;
  options: Readonly<Record<string, OptionSpec>>;
  /** Fewest and most positional words; [0, 0] when absent. */
  positionals?: readonly [min: number, max: number];
  /** Lines of `command — what it does`, shown under Examples. */
  examples: readonly (readonly [command: string, meaning: string])[];
  /** Resolves with the exit code. Throws {@link UsageError}, {@link CommandError} or a `ConfigError`. */
  run(invocation: Invocation): Promise<number>;
}

/** Wrong words on the command line: exit 2. The message is for the person who typed them. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command could not do its work: exit 1. The message says what happened, where and what to do. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
