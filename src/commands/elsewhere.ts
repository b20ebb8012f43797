import { existsSync } from "node:fs";
import { join } from "node:path";
import { variable } from "../config/paths.ts";
import type { Problem } from "../config/problems.ts";
import { paths } from "./running-daemon.ts";
import { accountOf, callerOfSudo } from "../service/accounts.ts";
import { ownAccountPlaces } from "../service/plan.ts";
import type { Invocation } from "./command.ts";

/** What the system knows of files and accounts. */
export interface Surroundings {
  exists(path: string): boolean;
  /** The home of the account of that name, or null. */
  homeOf(name: string): string | null;
}

const system: Surroundings = {
  exists: existsSync,
  homeOf: (name) => accountOf(name)?.home ?? null,
};

/**
 * Where the config lies that was probably meant by a call that names none and found none, as a sentence, or null: that
 * of who called sudo, whose home is another then, or that of a service with an account of its own.
 */
export function configElsewhere(
  { configFile, env }: Pick<Invocation, "configFile" | "env">,
  { exists, homeOf }: Surroundings = system,
): string | null {
  const isNamed = ["REVKA_CONFIG", "REVKA_HOME"].some((name) => variable(env, name) !== null);
  if (configFile !== undefined || isNamed) return null;
  if (exists(paths({ configFile, env }).config)) return null;
  const caller = callerOfSudo(env);
  const home = caller === null ? null : homeOf(caller);
  if (home !== null) {
    const theirs = join(home, ".revka/config.toml");
    if (exists(theirs)) return `${theirs} is there: run this without sudo`;
  }
  const { config, home: state } = ownAccountPlaces;
  if (!exists(config)) return null;
  return `for the service that has ${config}: sudo REVKA_HOME=${state} revka … --config ${config}`;
}

/** The same for problems that were found, where one is that the config in its usual place is missing. */
export function instead(
  problems: readonly Problem[],
  env: Invocation["env"],
  surroundings: Surroundings = system,
): string | null {
  const usual = paths({ configFile: undefined, env }).config;
  const isMissing = problems.some(({ file, line, key }) => file === usual && line === null && !key);
  return isMissing ? configElsewhere({ configFile: undefined, env }, surroundings) : null;
}
