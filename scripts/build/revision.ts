import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";

/** What a binary says of its source. It depends on the commit alone, so that two builds of one commit are the same. */
export interface Revision {
  version: string;
  /** Abbreviated to 12 digits, with `+changes` where files of the build differ from it; `unknown` outside of git. */
  commit: string;
  /** When it was committed, Unix seconds; 0 outside of git. */
  committedAt: number;
}

/** What goes into a binary, relative to the root. */
export const sources = [
  "src",
  "scripts/build",
  "scripts/notices",
  "scripts/notices.ts",
  "package.json",
  "bun.lock",
  "LICENSE",
];

/** What goes into a release, relative to the root. */
export const releaseSources = [...sources, "scripts/release", "scripts/release.ts", "install.sh"];

/**
 * The revision of the checkout in `root`, of which these files count. Throws where `package.json` has no version.
 */
export function readRevision(root: string, files: readonly string[] = sources): Revision {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { version } = v.parse(v.object({ version: v.string() }), manifest);
  const commit = git(root, "rev-parse", "--short=12", "HEAD");
  const changes = git(root, "status", "--porcelain", "--", ...files);
  return {
    version,
    commit: commit === null ? "unknown" : `${commit}${changes === "" ? "" : "+changes"}`,
    committedAt: Number(git(root, "log", "-1", "--no-show-signature", "--format=%ct") ?? 0),
  };
}

function git(root: string, ...words: string[]): string | null {
  const run = spawnSync("git", words, {
    cwd: root,
    encoding: "utf8",
    // A source that was unpacked in another repository is no commit of that.
    env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(resolve(root)) },
  });
  return run.status === 0 ? run.stdout.trim() : null;
}
