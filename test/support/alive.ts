import { existsSync, readFileSync } from "node:fs";

/** Does a process run, child of this one or not? */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Whoever ended and was not waited for yet is as good as gone.
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, "utf8"));
}
