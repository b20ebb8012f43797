import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** How each manager's file names the home, and how a character that means something there is spelled. */
const spellings: [line: RegExp, escaped: RegExp, plain: (escaped: string) => string][] = [
  [/^Environment="REVKA_HOME=(.*)"$/m, /%%|\\./g, (escaped) => escaped.slice(1)],
  [/^export REVKA_HOME='(.*)'$/m, /'\\''/g, () => "'"],
  [
    /<key>REVKA_HOME<\/key>\s*<string>(.*)<\/string>/,
    /&(?:amp|lt|gt);/g,
    (escaped) => ({ "&lt;": "<", "&gt;": ">" })[escaped] ?? "&",
  ],
];

/** REVKA_HOME of the service that this unit, script or property list runs, or null where it names none. Pure. */
export function homeOfInstalled(text: string): string | null {
  for (const [line, escaped, plain] of spellings) {
    const written = line.exec(text)?.[1];
    if (written !== undefined) return written.replace(escaped, plain);
  }
  return null;
}

/**
 * What the systemd unit at `path` starts Revka with, where that is surely `config`: the folder that its credentials come
 * from, if any. Null where the unit is missing or means another config, or where drop-ins may hand over what it does not
 * say.
 */
export function startedWith(path: string, config: string): { credentials: string | null } | null {
  if (!existsSync(path) || existsSync(`${path}.d`)) return null;
  const lines = readFileSync(path, "utf8").split("\n");
  const names = lines.some((line) => line.endsWith(` ${config}`) || line.endsWith(`:${config}`));
  if (!names) return null;
  const secret = lines.flatMap(
    (line) => /^LoadCredential=revka-(?!config:)[^:]+:(.+)$/.exec(line)?.[1] ?? [],
  );
  return { credentials: secret[0] === undefined ? null : dirname(secret[0]) };
}
