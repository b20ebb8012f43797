import { realpathSync } from "node:fs";

/** The file that `path` leads to past links, where SQLite keeps what it lays beside one; `path` where there is none yet. */
export function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
