import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentError } from "../../src/agent/agent.ts";
import { commandEnvironment, createCommandAgent } from "../../src/agent/command.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog, type Logger } from "../../src/telemetry/log.ts";
import { fakeClock } from "../support/clock.ts";
import { rejection } from "../support/rejection.ts";
import { turn } from "../support/turn.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-command-"));
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;

const agent = (
  command: [string, ...string[]],
  changes: Partial<Parameters<typeof createCommandAgent>[0]> = {},
) =>
  createCommandAgent({
    command,
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    clock: systemClock,
    log: silentLog,
    ...changes,
  });
const shell = (script: string, ...rest: string[]): [string, ...string[]] => [
  "sh",
  "-c",
  script,
  ...rest,
];

test("a turn is one JSON document on stdin, the answer one on stdout", async () => {
  const reply = await agent(shell('cat > seen.json; printf \'{"text":"done"}\\n\'')).run(
    turn(),
    never,
  );
  expect(reply).toEqual({ parts: [{ kind: "text", text: "done" }] });
  expect(JSON.parse(await readFile(join(folder, "seen.json"), "utf8"))).toEqual(turn());
});

test("arguments reach the program as they are, without a shell", async () => {
  const reply = await agent(["printf", '{"text":"%s"}', "$HOME; echo *"]).run(turn(), never);
  expect(reply).toEqual({ parts: [{ kind: "text", text: "$HOME; echo *" }] });
});

test.each([["true"], ["printf", " \n"], ["printf", "\t\v\f\r\n "]] as [string, ...string[]][])(
  "%p: blank output with exit code 0 is no reply",
  async (...command) => {
    expect(await agent(command).run(turn(), never)).toEqual({ parts: [] });
  },
);

test("a program that never reads its input may answer", async () => {
  const long = turn({ history: [{ role: "user", text: "x".repeat(1024 * 1024) }] });
  const reply = await agent(["printf", '{"text":"deaf"}']).run(long, never);
  expect(reply).toEqual({ parts: [{ kind: "text", text: "deaf" }] });
});

test("a background child that holds the output open does not hold the turn", async () => {
  const reply = await agent(shell('sleep 30 & echo $! > child; printf \'{"text":"done"}\'')).run(
    turn(),
    never,
  );
  expect(reply.parts).toHaveLength(1);
  process.kill(Number(await readFile(join(folder, "child"), "utf8")));
});

describe("a failed turn", () => {
  test.each<[string, [string, ...string[]], string]>([
    ["exit code", shell("echo secret words; exit 3"), "exit code 3"],
    ["a signal", shell("kill -9 $$"), "SIGKILL"],
    ["no JSON", ["echo", "secret words"], "13 bytes are not JSON"],
    ["a NUL", ["printf", "\\0"], "not JSON"],
    ["two documents", ["printf", "{}{}"], "not JSON"],
    ["endless output", ["yes", "secret words"], "more than 4194304 bytes"],
  ])("%s", async (_, command, detail) => {
    const error = await rejection(agent(command).run(turn(), never));
    expect(error).toBeInstanceOf(AgentError);
    expect(String(error)).not.toContain("secret words");
    expect(error).toMatchObject({ retryable: true, detail: expect.stringContaining(detail) });
  });

  test("a program that the system cannot run", async () => {
    const program = join(folder, "garbage");
    writeFileSync(program, "\x7fELF, but no program", { mode: 0o755 });
    const error = await rejection(agent([program]).run(turn(), never));
    expect(error).toMatchObject({
      retryable: true,
      detail: `the program ${program} of [agent] command did not start (ENOEXEC)`,
    });
  });

  test("where nothing stands on standard error, nothing is logged of it", async () => {
    const lines: unknown[] = [];
    const log: Logger = { ...silentLog, debug: (...line) => lines.push(line) };
    await agent(["true"], { log }).run(turn(), never);
    expect(lines).toEqual([]);
  });

  test("standard error is drained, and logged by its length alone", async () => {
    const lines: unknown[] = [];
    const log: Logger = { ...silentLog, debug: (...line) => lines.push(line) };
    const script = 'head -c 300000 /dev/zero >&2; printf \'{"text":"ok"}\'';
    expect((await agent(shell(script), { log }).run(turn(), never)).parts).toHaveLength(1);
    expect(lines).toEqual([
      [{ turn: "turn-1", bytes: 300000 }, "the agent command wrote to standard error"],
    ]);
  });
});

describe("what is wrong with the configuration is said and not repeated", () => {
  writeFileSync(join(folder, "plain.txt"), "");
  chmodSync(join(folder, "plain.txt"), 0o644);
  test.each<[string, [string, ...string[]], string, string]>([
    ["no such program", ["revka-no-such-program"], folder, "does not exist or is not on PATH"],
    ["no such folder", ["true"], join(folder, "missing"), "cwd does not exist"],
    ["not executable", [join(folder, "plain.txt")], folder, "may not be executed"],
    ["not executable, from cwd", ["./plain.txt"], folder, "may not be executed"],
    ["a folder", [folder], folder, "may not be executed"],
  ])("%s", async (_, command, cwd, detail) => {
    const error = await rejection(agent(command, { cwd }).run(turn(), never));
    expect(error).toMatchObject({ retryable: false, detail: expect.stringContaining(detail) });
    const found = await rejection(agent(command, { cwd }).probe(never));
    expect(found).toMatchObject({ retryable: false, detail: expect.stringContaining(detail) });
  });

  test("arguments that stand in the program's own text are told of", async () => {
    const { probe } = agent(["/bin/sh agent.sh"]);
    expect(await rejection(probe(never))).toMatchObject({
      detail: expect.stringContaining("in the list, each argument is a text of its own"),
    });
  });

  test("the probe finds the program without running it", async () => {
    expect(await agent(shell("touch ran")).probe(never)).toMatch(/^the command is \/.*sh$/);
    expect(await Bun.file(join(folder, "ran")).exists()).toBe(false);
  });
});

describe("an aborted turn", () => {
  const started = async (name: string) => {
    const read = () => readFile(join(folder, name), "utf8").catch(() => "");
    await until("the program runs", async () => (await read()).endsWith("\n"));
    return (await read()).trim().split(" ").map(Number);
  };
  const gone = (pid: number) => {
    try {
      process.kill(pid, 0);
      // A killed grandchild may stay a zombie where nothing reaps orphans.
      return /^State:\s+Z/m.test(require("node:fs").readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return true;
    }
  };

  /** A killed process takes the kernel a moment to clear away; the test's own time-out ends the wait. */
  const ending = async (pid: number) => {
    while (!gone(pid)) await new Promise((resolve) => setImmediate(resolve));
  };

  test("ends the whole process group and rejects with the signal's reason", async () => {
    const controller = new AbortController();
    const run = rejection(
      agent(shell("sleep 60 & echo $$ $! > group; wait")).run(turn(), controller.signal),
    );
    const pids = await started("group");
    controller.abort(new Error("out of time"));
    expect(await run).toEqual(new Error("out of time"));
    for (const pid of pids) await ending(pid);
  });

  test("is killed where SIGTERM is ignored", async () => {
    const controller = new AbortController();
    const clock = fakeClock();
    const run = rejection(
      agent(shell("trap '' TERM; echo $$ > stubborn; while :; do sleep 0.05; done"), { clock }).run(
        turn(),
        controller.signal,
      ),
    );
    const [pid = 0] = await started("stubborn");
    controller.abort(new Error("out of time"));
    await clock.advance(1_999);
    expect(gone(pid)).toBe(false);
    await clock.advance(1);
    expect(await run).toEqual(new Error("out of time"));
    await ending(pid);
  });

  test("is not started where the signal came first", async () => {
    const run = agent(shell("touch early")).run(turn(), AbortSignal.abort(new Error("too late")));
    expect(await rejection(run)).toEqual(new Error("too late"));
    expect(await Bun.file(join(folder, "early")).exists()).toBe(false);
  });
});

test("the program gets the operator's environment without what is Revka's", () => {
  expect(
    commandEnvironment({
      PATH: "/bin",
      HOME: "/home/ada",
      LANG: "C.UTF-8",
      OPENAI_API_KEY: "for the agent",
      HTTPS_PROXY: "http://proxy",
      REVKA_WHATSAPP_APP_SECRET: "no",
      REVKA_SESSION_KEY: "no",
      revka_home: "no",
      MY_REVKA_KEY: "for the agent",
      NOTIFY_SOCKET: "no",
      WATCHDOG_USEC: "no",
      WATCHDOG_PID: "no",
      LISTEN_FDS: "no",
      LISTEN_PID: "no",
      LISTEN_FDNAMES: "no",
      CREDENTIALS_DIRECTORY: "no",
    }),
  ).toEqual({
    PATH: "/bin",
    HOME: "/home/ada",
    LANG: "C.UTF-8",
    OPENAI_API_KEY: "for the agent",
    HTTPS_PROXY: "http://proxy",
    MY_REVKA_KEY: "for the agent",
  });
});

test("and really gets no more than that", async () => {
  const env = { PATH: process.env["PATH"], SHOWN: "yes", REVKA_SECRET: "no" };
  const script = 'printf \'{"text":"%s"}\' "$SHOWN/$REVKA_SECRET/$USER"';
  const reply = await agent(shell(script), { env }).run(turn(), never);
  expect(reply).toEqual({ parts: [{ kind: "text", text: "yes//" }] });
});
