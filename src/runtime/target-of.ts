import { readlinkSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorCode } from "./error-code.ts";

/**
 * The file that `path` leads to past links, where SQLite keeps what it lays beside one, also where there is none yet:
 * who makes it through the link and who finds it must name its lock alike.
 */
export function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") return path;
  }
  try {
    return targetOf(resolve(dirname(path), readlinkSync(path)));
  } catch {
    return path;
  }
}
