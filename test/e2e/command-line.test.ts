import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/store.ts";

const main = join(import.meta.dir, "../../src/main.ts");

/** A whole process, behind a shell, as a person starts it. */
function shell(line: string) {
  const env = { ...process.env, REVKA: `${process.execPath} ${main}`, REVKA_HOME: "/nonexistent" };
  const { exitCode, stdout, stderr } = Bun.spawnSync(["bash", "-o", "pipefail", "-c", line], {
    env,
  });
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

test("--version ends with its one line", () => {
  expect(shell("$REVKA --version")).toMatchObject({ code: 0, err: "" });
});

test("a reader that goes away ends it without a word", () => {
  expect(shell("$REVKA config schema | head -c 1")).toEqual({ code: 0, out: "{", err: "" });
});

(existsSync("/dev/full") ? test : test.skip)("what cannot be written is a failure", () => {
  expect(shell("$REVKA config schema > /dev/full").code).toBe(1);
});

(existsSync("/dev/full") ? test : test.skip)("and says so", () => {
  const { err } = shell("$REVKA config schema > /dev/full");
  expect(err).toContain("standard output cannot be written (ENOSPC)");
});

test("a config that did not fit on the disk is not left behind", () => {
  const folder = temporaryFolder();
  const file = join(folder.path, "config.toml");
  const init = `$REVKA init --channel web --agent echo --config ${file}`;
  const { code, err } = shell(`trap '' XFSZ; ulimit -f 0; ${init}`);
  expect(code).toBe(1);
  expect(err).toContain(`${file} cannot be written (EFBIG)`);
  expect(existsSync(file)).toBe(false);
  folder.remove();
});

test("the demo says where it found no room", () => {
  const { code, err } = shell("TMPDIR=/nonexistent/tmp $REVKA demo --once hi");
  expect(code).toBe(1);
  expect(err).toContain("/nonexistent/tmp");
  expect(err).toContain("set TMPDIR");
});

test("exit codes reach the shell", () => {
  expect(shell("$REVKA frobnicate").code).toBe(2);
  expect(shell("$REVKA status").code).toBe(78);
  expect(shell("$REVKA relink").code).toBe(1);
});
