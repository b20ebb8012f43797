import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const source = (name: string) =>
  fileURLToPath(new URL(`../../src/telemetry/${name}`, import.meta.url));

/** `program` with a logger on standard error, and `mark` to write beside it. */
const script = (program: string) => `
    import { writeSync } from "node:fs";
    import { createLogger } from ${JSON.stringify(source("log.ts"))};
    import { stderrDestination } from ${JSON.stringify(source("stderr.ts"))};
    const log = createLogger({ level: "info", format: "json", secrets: [], destination: stderrDestination() });
    const mark = (text) => writeSync(2, "mark " + text + "\\n");
    ${program}`;

/** What it leaves on standard error, as messages. */
function said(program: string): string[] {
  const { stderr } = spawnSync(process.execPath, ["-e", script(program)], { encoding: "utf8" });
  return stderr
    .split("\n")
    .flatMap((line) => /"msg":"(.*)"/.exec(line)?.[1] ?? (line.startsWith("mark") ? line : []));
}

test("lines of one turn go out together, in order, at its end", () => {
  const program = `log.info({}, "1"); log.info({}, "2"); mark("A"); setTimeout(() => mark("B"), 5);`;
  expect(said(program)).toEqual(["mark A", "1", "2", "mark B"]);
});

test("a warning is not held back, nor what came before it", () => {
  expect(said(`log.info({}, "1"); log.warn({}, "2"); mark("A"); log.info({}, "3");`)).toEqual([
    "1",
    "2",
    "mark A",
    "3",
  ]);
});

test("much to say is not held back either", () => {
  const program = `for (let i = 0; i < 40; i++) log.info({}, "x".repeat(2000)); mark("A");`;
  expect(said(program).indexOf("mark A")).toBeGreaterThan(20);
});

test.each([
  ["an exit", `log.info({}, "last"); process.exit(1);`],
  ["an exception", `setTimeout(() => { log.info({}, "last"); throw new Error("crash"); }, 1);`],
  ["a rejection", `log.info({}, "last"); await Promise.reject(new Error("crash"));`],
])("the last line before %s comes out", (_, program) => expect(said(program)).toContain("last"));

// Elsewhere a pipe cannot be opened anew, so its reader can hold Revka up.
test.skipIf(process.platform !== "linux")("a pipe that nobody reads holds nothing up", () => {
  const folder = mkdtempSync(join(tmpdir(), "revka-stderr-"));
  const unread = 'mkfifo "$1" && exec 3<>"$1" && exec "$2" -e "$3" 2>"$1"';
  const program = `
    for (let i = 0; i < 60; i++) log.warn({}, "x".repeat(2000));
    const before = performance.now();
    for (let i = 0; i < 60; i++) log.warn({}, "x".repeat(2000));
    console.log(performance.now() - before < 500 ? "went on" : "was slow");`;
  try {
    const { stdout } = spawnSync(
      "sh",
      ["-c", unread, "sh", join(folder, "pipe"), process.execPath, script(program)],
      { encoding: "utf8", timeout: 4_000, killSignal: "SIGKILL" },
    );
    expect(stdout).toBe("went on\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(process.platform !== "linux")("a pipe that is read again gets whole lines", () => {
  const folder = mkdtempSync(join(tmpdir(), "revka-stderr-"));
  const later =
    'mkfifo "$1" && exec 3<>"$1" && { "$2" -e "$3" 2>"$1"; echo end >&3; } & while ! [ -e "$1.go" ]; do sleep 0.01; done; sed "/^end/q" <"$1"';
  const program = `
    import { writeFileSync } from "node:fs";
    for (let i = 0; i < 60; i++) log.warn({}, "x".repeat(2001));
    writeFileSync(${JSON.stringify(join(folder, "pipe.go"))}, "");
    setTimeout(() => log.warn({}, "again"), 300);`;
  try {
    const { stdout } = spawnSync(
      "sh",
      ["-c", later, "sh", join(folder, "pipe"), process.execPath, script(program)],
      { encoding: "utf8", timeout: 6_000, killSignal: "SIGKILL" },
    );
    expect(stdout.split("\n").filter((line) => line.includes("again"))).toEqual([
      expect.stringMatching(/^\{.*"msg":"again"\}$/),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
