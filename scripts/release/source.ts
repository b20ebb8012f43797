import { spawnSync } from "node:child_process";

/**
 * The source of the commit as a tar archive, in the folder `prefix`: whoever passes on a binary that holds GPL code has
 * to pass on its source. Its packages are in the npm registry, by the hashes of `bun.lock`. Throws outside of git.
 */
export function sourceArchive(root: string, commit: string, prefix: string): Uint8Array {
  const run = spawnSync("git", ["archive", "--format=tar", `--prefix=${prefix}/`, commit], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(`git archive failed: ${run.stderr?.toString("utf8")}`);
  return run.stdout;
}
