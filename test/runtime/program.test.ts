import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/until.ts";

const program = join(import.meta.dir, "../../src/runtime/program.ts");
let folder = "";
const started: Bun.Subprocess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "revka-program-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process that runs these lines of JavaScript, with `run` for a shell script. */
function running(lines: string, maxFiles = 500, ownGroup = false) {
  const child = Bun.spawn({
    cmd: [
      ...["sh", "-c", `ulimit -n ${maxFiles}; exec "$@"`, "sh"],
      process.execPath,
      "-e",
      `import { runProgram } from ${JSON.stringify(program)};
      import { systemClock as clock } from ${JSON.stringify(join(program, "../clock.ts"))};
      const run = (script) =>
        runProgram(
          { command: ["sh", "-c", script], env: process.env, input: "", maxOutputBytes: 100, clock },
          new AbortController().signal,
        );
      ${lines}`,
    ],
    cwd: folder,
    stdout: "ignore",
    detached: ownGroup,
  });
  started.push(child);
  return child;
}

test("a process that has run a program ends by itself", async () => {
  const child = running('await run("true");');
  expect(await child.exited).toBe(0);
});

test("also where something that it left behind holds its output open", async () => {
  const child = running('await run("sleep 600 & echo $! > holds");');
  const holds = await written("holds");
  const code = await child.exited;
  process.kill(holds, "SIGKILL");
  expect(code).toBe(0);
});

const linux = process.platform === "linux" ? test : test.skip;

linux("a process that may open no more files can start none, and goes on", async () => {
  const child = running(
    `import { openSync, closeSync, writeFileSync } from "node:fs";
    const open = [];
    try {
      for (;;) open.push(openSync("/dev/null"));
    } catch {}
    const kinds = [];
    for (let free = 0; free < 20; free++) {
      const { kind, code } = await run("true");
      kinds.push(kind + " " + code);
      closeSync(open.pop());
    }
    for (const file of open) closeSync(file);
    writeFileSync("kinds", kinds.join("\\n"));`,
    100,
  );
  expect(await child.exited).toBe(0);
  const kinds = readFileSync(join(folder, "kinds"), "utf8").split("\n");
  expect(new Set(kinds)).toEqual(new Set(["not_started EMFILE", "ended 0"]));
  expect([kinds[0], kinds.at(-1)]).toEqual(["not_started EMFILE", "ended 0"]);
});

linux("a keeper that was killed is replaced by one that knows of all that runs", async () => {
  const child = running(`
    void run("echo $$ > first; exec sleep 600");
    process.once("SIGUSR2", () => void run("echo $$ > second; exec sleep 600"));
    setInterval(() => {}, 1000);`);
  const first = await written("first");
  const [keeper = 0] = await keepersOf(child.pid);
  process.kill(keeper, "SIGKILL");
  await until("its parent knows that it is gone", () => stat(keeper) === "");
  child.kill("SIGUSR2");
  const second = await written("second");
  await keepersOf(child.pid);
  expect([first, second].map(alive)).toEqual([true, true]);
  child.kill("SIGKILL");
  await child.exited;
  await until("both programs are gone", () => !alive(first) && !alive(second));
});

linux("where the keeper is gone, a process that exits still takes its programs along", async () => {
  const child = running(`
    void run("echo $$ > mine; exec sleep 600");
    process.once("SIGUSR2", () => process.exit(0));
    setInterval(() => {}, 1000);`);
  const mine = await written("mine");
  const [keeper = 0] = await keepersOf(child.pid);
  process.kill(keeper, "SIGKILL");
  await until("the keeper is gone", () => stat(keeper) === "");
  child.kill("SIGUSR2");
  await child.exited;
  await until("the program is gone", () => !alive(mine));
});

linux.each([["SIGKILL"], ["SIGUSR2"]] as const)(
  "the group of a program that has ended is no more this process's to kill (%s)",
  async (signal) => {
    const child = running(`
      import { writeFileSync } from "node:fs";
      await run("sleep 600 >/dev/null 2>&1 & echo $! > left-${signal}");
      process.once("SIGUSR2", () => process.exit(0));
      setInterval(() => {}, 1000);
      writeFileSync("ended-${signal}", "1\\n");`);
    const left = await written(`left-${signal}`);
    await written(`ended-${signal}`);
    const [keeper = 0] = await keepersOf(child.pid);
    child.kill(signal);
    await child.exited;
    await until("the keeper has ended", () => !alive(keeper));
    expect(alive(left)).toBe(true);
    process.kill(left, "SIGKILL");
  },
);

linux("all programs of a process go with it, also where its whole group is killed", async () => {
  const child = running(
    `import { writeFileSync } from "node:fs";
    for (const name of ["one", "two", "three"])
      void run("echo $$ > program-" + name + "; exec sleep 600");
    process.once("SIGUSR2", () => writeFileSync("told", "1\\n"));
    setInterval(() => {}, 1000);`,
    500,
    true,
  );
  const programs = await Promise.all(
    ["one", "two", "three"].map((name) => written(`program-${name}`)),
  );
  await keepersOf(child.pid);
  // The keeper hears of them in the next turn of the event loop: who answers has had it.
  child.kill("SIGUSR2");
  await written("told");
  expect(programs.map(alive)).toEqual([true, true, true]);
  process.kill(-child.pid, "SIGKILL");
  await child.exited;
  await until("all programs are gone", () => !programs.some(alive));
});

linux("a process that runs many programs listens once for its own end", async () => {
  const child = running(`
    import { writeFileSync } from "node:fs";
    const before = process.listenerCount("exit");
    for (let i = 0; i < 3; i++) await run("true");
    writeFileSync("listeners", process.listenerCount("exit") - before + "\\n");`);
  expect(await child.exited).toBe(0);
  expect(await written("listeners")).toBe(1);
});

async function written(name: string): Promise<number> {
  const file = join(folder, name);
  const isWhole = () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n");
  await until(`${name} is written`, isWhole);
  return Number(readFileSync(file, "utf8"));
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter(
      (pid) => pid > 0 && alive(pid) && stat(pid).split(") ")[1]?.split(" ")[1] === `${parent}`,
    );
}

/** Those that are no program: shells that wait for lines. */
async function keepersOf(parent: number): Promise<number[]> {
  const keepers = () =>
    childrenOf(parent).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("left="),
    );
  await until("there is one keeper", () => keepers().length === 1);
  return keepers();
}

function stat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

function alive(pid: number): boolean {
  return /\) [^ZX] /.test(stat(pid));
}
