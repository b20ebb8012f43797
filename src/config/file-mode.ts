import { statSync } from "node:fs";

/**
 * The permission bits of the configuration file, and whether group or others may read it (a `doctor` warning: it holds
 * tokens). Null where there is no such file, and on systems without such bits.
 */
export function configFileMode(path: string): { mode: number; readableByOthers: boolean } | null {
  if (process.platform === "win32") return null;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return null;
  const mode = stats.mode & 0o777;
  return { mode, readableByOthers: (mode & 0o044) !== 0 };
}
