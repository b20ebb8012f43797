import { parseArgs, type ParseArgsConfig } from "node:util";

/**
 * What a script is asked for on its command line. `--help` prints its usage and ends it; a word that it does not know
 * ends it with 64, and both are said.
 */
export function optionsOf<const T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (process.argv.includes("--help")) {
    console.log(`Usage: ${usage}`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    return misused(usage, error instanceof Error ? error.message : String(error));
  }
}

/** A number of the command line, from 1 on. Ends the script where it is none. */
export function countOf(usage: string, option: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  return misused(usage, `--${option} takes a whole number from 1 on, not "${text}"`);
}

/** Says what is wrong with the command line and how it is meant, and ends the script with 64. */
export function misused(usage: string, problem: string): never {
  console.error(`${problem}\n\nUsage: ${usage}`);
  process.exit(64);
}
