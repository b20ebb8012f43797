import { spawnSync } from "node:child_process";

/** What a person may have set otherwise, and changes the archive. */
const asByDefault = ["-c", "tar.umask=0002", "-c", "core.autocrlf=false"];

/**
 * The source of the commit as a tar archive, in the folder `prefix`: whoever passes on a binary that holds GPL code has
 * to pass on its source. Its packages are in the npm registry, by the hashes of `bun.lock`. Throws outside of git.
 */
export function sourceArchive(root: string, commit: string, prefix: string): Uint8Array {
  const words = ["archive", "--format=tar", `--prefix=${prefix}/`, commit];
  const run = spawnSync("git", [...asByDefault, ...words], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(`git archive failed: ${run.stderr?.toString("utf8")}`);
  return run.stdout;
}
