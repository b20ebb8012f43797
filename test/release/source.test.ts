import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourceArchive } from "../../scripts/release/source.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});

test("the source is the same bytes, whatever git is set to on the machine", () => {
  const folder = mkdtempSync(join(tmpdir(), "revka-source-"));
  undo.push(() => rmSync(folder, { recursive: true }));
  const git = (...words: string[]) => {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    expect(Bun.spawnSync(["git", ...author, ...words], { cwd: folder }).exitCode).toBe(0);
  };
  git("init", "--quiet");
  writeFileSync(join(folder, "a.txt"), "one\ntwo\n");
  git("add", "a.txt");
  git("commit", "--quiet", "--message=One");
  const archive = () => Buffer.from(sourceArchive(folder, "HEAD", "revka"));
  const plain = archive();
  const settings = { "tar.umask": "0077", "core.autocrlf": "true" };
  const config = join(folder, "gitconfig");
  for (const [key, value] of Object.entries(settings)) git("config", "--file", config, key, value);
  const before = process.env["GIT_CONFIG_GLOBAL"];
  undo.push(() => {
    if (before === undefined) delete process.env["GIT_CONFIG_GLOBAL"];
    else process.env["GIT_CONFIG_GLOBAL"] = before;
  });
  process.env["GIT_CONFIG_GLOBAL"] = config;
  expect(archive().equals(plain)).toBe(true);
});
