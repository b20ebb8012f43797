import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How XML spells what it would read as markup. */
const propertyListText: [escaped: RegExp, plain: (escaped: string) => string] = [
  /&(?:amp|lt|gt);/g,
  (escaped) => ({ "&lt;": "<", "&gt;": ">" })[escaped] ?? "&",
];

/** How each manager's file names the home, and how a character that means something there is spelled. */
const spellings: [line: RegExp, escaped: RegExp, plain: (escaped: string) => string][] = [
  [/^Environment="REVKA_HOME=(.*)"$/m, /%%|\\./g, (escaped) => escaped.slice(1)],
  [/^export REVKA_HOME='(.*)'$/m, /'\\''/g, () => "'"],
  [/<key>REVKA_HOME<\/key>\s*<string>(.*)<\/string>/, ...propertyListText],
];

/** REVKA_HOME of the service that this unit, script or property list runs, or null where it names none. Pure. */
export function homeOfInstalled(text: string): string | null {
  for (const [line, escaped, plain] of spellings) {
    const written = line.exec(text)?.[1];
    if (written !== undefined) return written.replace(escaped, plain);
  }
  return null;
}

/** The config that it names, or null: of a unit only where none of its characters is spelled otherwise. Pure. */
export function configOfInstalled(text: string): string | null {
  const unit = /^ExecStart=.* daemon --config ([\w@+=:,./-]+)$/m.exec(text)?.[1];
  return unit ?? configOfScript(text) ?? configOfPropertyList(text);
}

/**
 * What the systemd unit at `path` starts Revka with, where that is surely `config`: the folder that its credentials come
 * from, if any. Null where the unit is missing or means another config, or where drop-ins, or credentials that a person
 * wrote into it, may hand over what is not known here.
 */
export function startedWith(path: string, config: string): { credentials: string | null } | null {
  if (!existsSync(path) || existsSync(`${path}.d`)) return null;
  const lines = readFileSync(path, "utf8").split("\n");
  const names = lines.some((line) => line.endsWith(` ${config}`) || line.endsWith(`:${config}`));
  if (!names) return null;
  const folders = new Set(
    lines
      .filter((line) => /^\w*Credential\w*=(?!revka-config:|\.secret_key:)/.test(line))
      .map((line) => /^LoadCredential=(revka-[\w-]+):([^%]+)\/\1$/.exec(line)?.[2]),
  );
  const [folder = null] = folders;
  if (folders.size > 1 || folders.has(undefined)) return null;
  return { credentials: folder };
}

/**
 * The config, account and home with which the init script of OpenRC or the property list of launchd at `path` starts
 * Revka. Null where it is missing or names no config, or where a person has added to its environment, there or in
 * OpenRC's conf.d: what the config does not say may then stand in it.
 */
export function startedBy(
  path: string,
): { config: string; account: string | null; home: string } | null {
  if (!existsSync(path) || existsSync(join(dirname(path), "../conf.d/revka"))) return null;
  const text = readFileSync(path, "utf8");
  const home = homeOfInstalled(text);
  const config = configOfInstalled(text);
  if (home === null || config === null || addsToEnvironment(text)) return null;
  const account =
    /^command_user='(.*)'$/m.exec(text)?.[1] ??
    /<key>UserName<\/key>\s*<string>(.*)<\/string>/.exec(text)?.[1];
  return { config, account: account ?? null, home };
}

/** Its words are quoted for the shell twice. */
function configOfScript(text: string): string | null {
  const words = unquoted(/^command_args=('.*')$/m.exec(text)?.[1] ?? "");
  const word = /(?:^| )daemon --config ('.*'|[^' ]+)$/.exec(words)?.[1];
  return word === undefined ? null : unquoted(word);
}

function unquoted(word: string): string {
  return word.startsWith("'") ? word.slice(1, -1).replaceAll("'\\''", "'") : word;
}

function configOfPropertyList(text: string): string | null {
  const written = /<string>--config<\/string>\s*<string>(.*)<\/string>\s*<\/array>/.exec(text)?.[1];
  return written?.replace(...propertyListText) ?? null;
}

function addsToEnvironment(text: string): boolean {
  const variables = /<key>EnvironmentVariables<\/key>\s*<dict>(.*?)<\/dict>/s.exec(text)?.[1] ?? "";
  return /^\s*export (?!REVKA_HOME=)/m.test(text) || /<key>(?!REVKA_HOME<)/.test(variables);
}
