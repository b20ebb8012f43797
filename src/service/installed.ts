import { existsSync, readFileSync } from "node:fs";

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
