import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/** What `reader`, a shell's words, takes of a pipe that `program` logs to; it reads once the program makes $1.go. */
function taken(program: string, reader: string): { stdout: string; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "revka-stderr-"));
  const words = `mkfifo "$1" && exec 3<>"$1" && { "$2" -e "$3" 2>"$1" >"$1.out"; echo end >&3; } &
    while ! [ -e "$1.go" ]; do sleep 0.01; done; ${reader}; cat "$1.out" >&2`;
  const go = `import { writeFileSync } from "node:fs";
    const go = () => writeFileSync(${JSON.stringify(join(folder, "pipe.go"))}, "");`;
  try {
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", words, "sh", join(folder, "pipe"), process.execPath, script(`${go}\n${program}`)],
      { encoding: "utf8", timeout: 10_000, killSignal: "SIGKILL", maxBuffer: 1e8 },
    );
    return { stdout: stderr, lines: stdout.split("\n").slice(0, -1) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const untilEnd = 'sed "/^end/q" <"$1"';
const onLinux = test.skipIf(process.platform !== "linux");

onLinux("a pipe that is read again gets every line, whole and in order", () => {
  const { lines } = taken(
    `for (let i = 0; i < 60; i++) log.warn({}, i + "x".repeat(2001));
     go();
     setTimeout(() => log.warn({}, "again"), 200);`,
    untilEnd,
  );
  expect(lines.map((line) => /"msg":"(\d+|again)/.exec(line)?.[1] ?? line)).toEqual([
    ...Array.from({ length: 60 }, (_, i) => String(i)),
    "again",
    "end",
  ]);
});

onLinux("what no reader took is left out, and how many lines that were is said", () => {
  const { lines } = taken(
    `for (let i = 0; i < 900; i++) log.warn({}, i + "x".repeat(2001));
     go();
     setTimeout(() => {}, 500);`,
    untilEnd,
  );
  const said = lines.findIndex((line) => line.includes("left out"));
  expect(said).toBeGreaterThan(400);
  expect(JSON.parse(lines[said] ?? "")).toMatchObject({ level: "warn", lines: 900 - said });
});

onLinux("a slow reader holds nothing up either", () => {
  const { stdout } = taken(
    `let longest = 0;
     for (let i = 0; i < 100; i++) {
       const before = performance.now();
       for (let j = 0; j < 10; j++) log.warn({}, "x".repeat(2001));
       longest = Math.max(longest, performance.now() - before);
       if (i === 5) go();
       await new Promise((resolve) => setTimeout(resolve, 10));
     }
     console.log(longest < 250 ? "went on" : "was slow: " + longest);
     process.exitCode = 0;`,
    'for i in 1 2 3 4 5 6 7 8 9 10; do head -c 4096 >/dev/null; sleep 0.1; done <"$1"; cat <"$1" >/dev/null & sleep 1.5; kill $!',
  );
  expect(stdout).toContain("went on");
});

test("a full disk costs the lines that it did not take, and no other; how many is said once it takes more", () => {
  const folder = mkdtempSync(join(tmpdir(), "revka-stderr-"));
  const file = join(folder, "log");
  // The file may not grow past a few blocks; what was whole in it is then taken away.
  const limited = `trap "" XFSZ; ulimit -f 8; exec "$1" -e "$2" 2>>"$3"`;
  const program = `
    import { readFileSync, writeFileSync } from "node:fs";
    for (let i = 0; i < 100; i++) log.warn({ i }, "x".repeat(150));
    const text = readFileSync(${JSON.stringify(file)}, "utf8");
    writeFileSync(${JSON.stringify(file)}, text.slice(text.lastIndexOf("\\n") + 1));
    console.log(text.split("\\n").length - 1);
    log.warn({}, "again");`;
  try {
    const words = ["-c", limited, "sh", process.execPath, script(program), file];
    const { stdout } = spawnSync("sh", words, { encoding: "utf8", timeout: 10_000 });
    const [torn, ...lines] = readFileSync(file, "utf8").split("\n");
    expect(torn).not.toMatch(/}$/);
    expect(lines.slice(0, -1).map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ msg: "again" }),
      expect.objectContaining({ level: "warn", lines: 100 - Number(stdout) }),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
