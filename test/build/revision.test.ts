import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRevision, releaseSources } from "../../scripts/build/revision.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-revision-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A checkout with a committed `package.json`, and what git says there. */
function checkout(root: string): (...words: string[]) => string {
  const git = (...words: string[]) => {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    const run = Bun.spawnSync(["git", ...author, ...words], { cwd: root });
    if (run.exitCode !== 0) throw new Error(run.stderr.toString());
    return run.stdout.toString().trim();
  };
  source(root);
  git("init", "--quiet");
  git("add", "package.json");
  git("commit", "--quiet", "--message=One");
  return git;
}

function source(root: string): void {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "package.json"), '{ "version": "1.2.3" }');
}

test("a checkout is its commit, and what differs from it in files of the build", () => {
  const git = checkout(folder);
  const commit = git("rev-parse", "--short=12", "HEAD");
  const committedAt = Number(git("log", "-1", "--format=%ct"));
  writeFileSync(join(folder, "README.md"), "");
  expect(readRevision(folder)).toEqual({ version: "1.2.3", commit, committedAt });
  writeFileSync(join(folder, "package.json"), '{ "version": "1.2.4" }');
  expect(readRevision(folder)).toMatchObject({ version: "1.2.4", commit: `${commit}+changes` });
});

test("a signed commit has its time too, also where git is set to show signatures", () => {
  const git = checkout(folder);
  const gpg = join(folder, "gpg");
  writeFileSync(gpg, "#!/bin/sh\necho 'gpg: no public key' >&2\nexit 2\n", { mode: 0o755 });
  git("config", "gpg.program", gpg);
  git("config", "log.showSignature", "true");
  const commit = join(folder, "commit");
  const signature = "-----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----";
  const who = "Ada <ada@example.com> 1700000000 +0000";
  const tree = git("write-tree");
  writeFileSync(
    commit,
    `tree ${tree}\nauthor ${who}\ncommitter ${who}\ngpgsig ${signature}\n\nOne\n`,
  );
  git("update-ref", "HEAD", git("hash-object", "-t", "commit", "-w", commit));
  expect(git("log", "-1", "--format=%ct")).toContain("gpg: no public key");
  expect(readRevision(folder).committedAt).toBe(1_700_000_000);
});

test("a source without a repository is not taken for a commit of one around it", () => {
  checkout(folder);
  writeFileSync(join(folder, ".gitignore"), "unpacked\n");
  const root = join(folder, "unpacked/revka");
  source(root);
  expect(readRevision(root)).toEqual({ version: "1.2.3", commit: "unknown", committedAt: 0 });
});

test("the installer counts where a release is made", () => {
  const git = checkout(folder);
  writeFileSync(join(folder, "install.sh"), "of the commit\n");
  git("add", "install.sh");
  git("commit", "--quiet", "--message=Two");
  const { commit } = readRevision(folder, releaseSources);
  expect(commit).toBe(git("rev-parse", "--short=12", "HEAD"));
  writeFileSync(join(folder, "install.sh"), "of somebody's own\n");
  expect(readRevision(folder, releaseSources).commit).toBe(`${commit}+changes`);
  expect(readRevision(folder).commit).toBe(commit);
});
