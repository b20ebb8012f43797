import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";

/**
 * The absolute path of a program as a shell would find it: a name is looked up in `path` (the value of `PATH`), a
 * name with a slash is taken as it stands, from `cwd`. null where there is no such file or it may not be executed.
 */
export function findExecutable(
  name: string,
  path: string | undefined = process.env["PATH"],
  cwd: string = process.cwd(),
): string | null {
  if (name === "") return null;
  if (name.includes("/")) return executable(resolve(cwd, name));
  for (const folder of (path ?? "").split(delimiter)) {
    const found = folder === "" ? null : executable(resolve(cwd, folder, name));
    if (found) return found;
  }
  return null;
}

function executable(file: string): string | null {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : null;
  } catch {
    return null;
  }
}
