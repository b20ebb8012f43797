import { nearestName } from "../config/nearest.ts";
import { logLevels, type LogLevel } from "../telemetry/levels.ts";
import { UsageError, type Command, type Environment, type OptionSpec } from "./command.ts";

/** Options that every command takes. */
export const globalOptions: Readonly<Record<string, OptionSpec>> = {
  config: { value: "FILE", description: "Config file (default ~/.revka/config.toml)" },
  "log-level": { value: "LEVEL", description: `One of ${logLevels.join(", ")}` },
  help: { description: "Show this help" },
};

export interface Words {
  options: Record<string, string | true>;
  positionals: string[];
}

/**
 * Splits argv into the command's name and the rest. Global options may stand before the name; they move behind it.
 * `name` is null where there is none.
 */
export function splitCommand(argv: readonly string[]): { name: string | null; rest: string[] } {
  const before: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (!word.startsWith("-")) return { name: word, rest: [...before, ...argv.slice(i + 1)] };
    before.push(word);
    const takesValue = globalOptions[word.replace(/^--/, "")]?.value !== undefined;
    const value = argv[i + 1];
    if (takesValue && value !== undefined) {
      before.push(value);
      i++;
    }
  }
  return { name: null, rest: before };
}

/** Parses the words of one command. Throws {@link UsageError} that names the nearest option. */
export function parseWords(
  known: Readonly<Record<string, OptionSpec>>,
  args: readonly string[],
): Words {
  // Most commands come without words, a service with `--config FILE`, and to load what splits others takes a tenth of a start.
  const plain = plainOptions(known, args);
  if (plain) return { options: plain, positionals: [] };
  const { parseArgs } = process.getBuiltinModule("node:util");
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(known).map(([name, option]) => [
        name,
        { type: option.value === undefined ? ("boolean" as const) : ("string" as const) },
      ]),
    ),
  });
  const words: Words = { options: {}, positionals: [] };
  for (const token of tokens) {
    if (token.kind === "positional") words.positionals.push(token.value);
    if (token.kind !== "option") continue;
    const name = token.rawName === "-h" ? "help" : token.name;
    const option = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!option || (token.rawName.length === 2 && token.rawName !== "-h")) {
      const word = args[token.index] ?? "";
      // No option has a blank in it, nor is one a number.
      if (/\s/.test(token.rawName) || /^-(?!-).*\s|^-\d/s.test(word)) {
        throw new UsageError("a text that begins with - goes after --");
      }
      const guess = nearestName(token.name, Object.keys(known));
      throw new UsageError(
        `unknown option ${token.rawName}${guess ? `; did you mean --${guess}?` : ""}`,
      );
    }
    if (option.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`--${name} takes no value`);
      words.options[name] = true;
    } else {
      const swallowed = !token.inlineValue && token.value?.startsWith("--");
      if (token.value === undefined || token.value === "" || swallowed) {
        throw new UsageError(`--${name} needs a value: --${name} ${option.value}`);
      }
      words.options[name] = token.value;
    }
  }
  return words;
}

/** Options that each have their value in the next word; null where there is anything else. */
function plainOptions(
  known: Readonly<Record<string, OptionSpec>>,
  args: readonly string[],
): Record<string, string> | null {
  const options: Record<string, string> = {};
  for (let i = 0; i < args.length; i += 2) {
    const name = /^--([a-z-]+)$/.exec(args[i] ?? "")?.[1] ?? "";
    const value = args[i + 1] ?? "";
    if (known[name]?.value === undefined || value === "" || value.startsWith("-")) return null;
    options[name] = value;
  }
  return options;
}

/** Checks how many words a command got. Throws {@link UsageError}. */
export function checkPositionals(command: Command, positionals: readonly string[]): void {
  const [min, max] = command.positionals ?? [0, 0];
  if (positionals.length < min) throw new UsageError(`too few words: revka ${command.usage}`);
  // A shell's empty variable, as a rule.
  if (positionals.includes("")) throw new UsageError(`a word is empty: revka ${command.usage}`);
  const extra = positionals[max];
  if (extra !== undefined) {
    const hint = max > 0 ? " (quote a text that has spaces)" : "";
    throw new UsageError(`unexpected word "${extra}"${hint}: revka ${command.usage}`);
  }
}

/** `--log-level`, else REVKA_LOG, else undefined. Throws {@link UsageError} for a level that does not exist. */
export function logLevel(flag: string | true | undefined, env: Environment): LogLevel | undefined {
  const named = typeof flag === "string" ? flag : env["REVKA_LOG"];
  if (!named) return undefined;
  const level = logLevels.find((candidate) => candidate === named.toLowerCase());
  if (level) return level;
  const source = typeof flag === "string" ? "--log-level" : "REVKA_LOG";
  throw new UsageError(`${source} "${named}" is none of ${logLevels.join(", ")}`);
}
