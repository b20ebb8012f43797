import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

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
