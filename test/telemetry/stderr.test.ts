import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const source = (name: string) =>
  fileURLToPath(new URL(`../../src/telemetry/${name}`, import.meta.url));

/** What a program with a logger on standard error leaves there, as messages; `marks` are writes beside the logger. */
function said(program: string): string[] {
  const script = `
    import { writeSync } from "node:fs";
    import { createLogger } from ${JSON.stringify(source("log.ts"))};
    import { stderrDestination } from ${JSON.stringify(source("stderr.ts"))};
    const log = createLogger({ level: "info", format: "json", secrets: [], destination: stderrDestination() });
    const mark = (text) => writeSync(2, "mark " + text + "\\n");
    ${program}`;
  const { stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
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
