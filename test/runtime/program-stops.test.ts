import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../src/runtime/program.ts";
import { alive } from "../support/alive.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";

let folder: string;
let clock: FakeClock;
const left: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-program-"));
  clock = fakeClock();
});
afterEach(() => {
  for (const pid of left.splice(0)) if (alive(pid)) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true });
});

function run(script: string, signal = new AbortController().signal, maxOutputBytes = 100) {
  return runProgram(
    {
      command: ["sh", "-c", script],
      cwd: folder,
      env: { PATH: process.env["PATH"] },
      input: "",
      maxOutputBytes,
      clock,
    },
    signal,
  );
}

/** The number that a program writes to this file, once the line is whole. */
async function written(name: string): Promise<number> {
  const file = join(folder, name);
  const isWhole = () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n");
  await until(`${name} is written`, isWhole);
  return Number(readFileSync(file, "utf8"));
}

test("a program that is told to end may first put its things in order", async () => {
  const stop = new AbortController();
  const ended = run(
    "trap 'echo 1 > tidy; exit' TERM; echo $$ > started; while :; do sleep 0.01; done",
    stop.signal,
  );
  left.push(await written("started"));
  stop.abort(new Error("enough"));
  // The clock stands still: nothing but the first signal ends it.
  await expect(ended).rejects.toThrow("enough");
  expect(await written("tidy")).toBe(1);
});

test("one that will not end is killed two seconds later", async () => {
  const stop = new AbortController();
  let over = false;
  const ended = run("trap '' TERM; echo $$ > started; exec sleep 600", stop.signal)
    .catch((error: unknown) => error)
    .finally(() => (over = true));
  const pid = await written("started");
  left.push(pid);
  stop.abort(new Error("enough"));
  await clock.advance(1_999);
  expect({ over, alive: alive(pid) }).toEqual({ over: false, alive: true });
  await clock.advance(1);
  expect(await ended).toEqual(new Error("enough"));
  expect(alive(pid)).toBe(false);
  expect(clock.pending).toBe(0);
});

test("what it started goes with it, heeding the signal or not", async () => {
  const stop = new AbortController();
  const ended = run(
    `sh -c 'trap "" TERM; echo $$ > stubborn; exec sleep 600' >stubborn.out 2>&1 &
    sh -c 'echo $$ > tame; exec sleep 600' >tame.out 2>&1 &
    wait`,
    stop.signal,
  );
  const children = [await written("stubborn"), await written("tame")];
  left.push(...children);
  stop.abort(new Error("enough"));
  await expect(ended).rejects.toThrow("enough");
  await until("its children are gone", () => !children.some(alive));
});

test.each([
  [5, "ended"],
  [4, "too_much_output"],
] as const)("of five bytes, where %d are allowed: %s", async (most, kind) => {
  const outcome = await run("printf 12345", undefined, most);
  expect(outcome.kind).toBe(kind);
  if (outcome.kind === "ended") expect(String(outcome.stdout)).toBe("12345");
});

test("one that says too much once it is told to end was stopped all the same", async () => {
  const stop = new AbortController();
  const ended = run(
    "trap 'echo too much; exit' TERM; echo $$ > started; while :; do sleep 0.01; done",
    stop.signal,
    4,
  );
  left.push(await written("started"));
  stop.abort(new Error("enough"));
  await expect(ended).rejects.toThrow("enough");
  expect(clock.pending).toBe(0);
});

test("what is stopped before it starts does not start", async () => {
  await expect(run("echo 1 > started", AbortSignal.abort(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(join(folder, "started"))).toBe(false);
});
