import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

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

test("exit codes reach the shell", () => {
  expect(shell("$REVKA frobnicate").code).toBe(2);
  expect(shell("$REVKA status").code).toBe(78);
  expect(shell("$REVKA relink").code).toBe(1);
});
