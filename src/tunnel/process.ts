import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Clock } from "../runtime/clock.ts";
import { killGroup } from "../runtime/end-with-this-process.ts";
import { findExecutable } from "../runtime/executable.ts";

/** How long a tool that is told to end may take before it is killed. */
const graceMs = 3_000;
/** A longer line is cut: what is looked for stands at the beginning of short ones. */
const longestLine = 4_096;

/**
 * Starts the words after it, and ends them and all they started as soon as standard input closes: that is when this
 * process is gone, even by SIGKILL. Hands a TERM on to the tool and waits. The trap comes after the start: what is
 * forked while there is one may lose a signal.
 */
const keeper = `
exec 3<&0 </dev/null
"$@" 3<&- &
tool=$!
trap 'kill -TERM $tool' TERM
( trap '' TERM; read -r _ <&3; kill -TERM 0; sleep 3; kill -KILL 0 ) >/dev/null 2>&1 &
exec 3<&-
while :; do
  wait $tool
  code=$?
  kill -0 $tool 2>/dev/null || exit $code
done`;

export interface ToolOptions {
  command: readonly [string, ...string[]];
  env: Record<string, string | undefined>;
  clock: Clock;
  /** Each line of standard output and error. */
  onLine(line: string): void;
}

export interface RunningTool {
  /** Resolves once it is gone, with why: `ended (exit 1)`, `is not installed`, … Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it for a reason of ours, with which {@link RunningTool.ended} then resolves. */
  fail(reason: string): void;
  /** Ends it and all it started. */
  stop(): Promise<void>;
}

/**
 * Runs a tool in a process group of its own, so that nothing it starts outlives it or this process, however this one
 * ends.
 */
export function runTool({ command, env, clock, onLine }: ToolOptions): RunningTool {
  const [name, ...args] = command;
  const program = findExecutable(name, env["PATH"]);
  if (!program) return gone("is not installed (it is not on PATH)");
  const child = spawn("/bin/sh", ["-c", keeper, name, program, ...args], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const killAll = () => {
    if (child.pid !== undefined) killGroup(child.pid, "SIGKILL");
  };
  process.once("exit", killAll);

  let why: string | null = null;
  let cancelKill = () => {};
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const settle = (reason: string) => {
    cancelKill();
    // Whatever it started and left behind.
    killAll();
    process.off("exit", killAll);
    resolve(why ?? reason);
  };
  const end = () => {
    child.kill("SIGTERM");
    cancelKill = clock.after(graceMs, killAll);
  };
  child.on("error", () => settle("cannot be started"));
  const running = {
    ended,
    fail(reason: string) {
      why ??= reason;
      end();
    },
    async stop() {
      end();
      await ended;
    },
  };
  // It may have no streams then, as where no file can be opened.
  if (child.pid === undefined) return running;
  child.stdin.on("error", () => {});
  // A child of its own may hold the pipes open, and "close" back.
  child.on("exit", () => {
    killAll();
    child.stdin.destroy();
  });
  child.on("close", (code, signal) => settle(signal ? `was ended by ${signal}` : endOf(code)));
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, onLine);

  return running;
}

/** Of a shell's exit code: 126 and 127 are its own, over 128 stands for a signal. */
function endOf(code: number | null): string {
  if (code === 126 || code === 127) return "cannot be started";
  const signal = Object.entries(constants.signals).find(
    ([, number]) => code !== null && number === code - 128,
  );
  return signal ? `was ended by ${signal[0]}` : `ended (exit ${code ?? "unknown"})`;
}

function gone(reason: string): RunningTool {
  return { ended: Promise.resolve(reason), fail() {}, stop: async () => {} };
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("error", () => {});
  stream.on("data", (chunk: string | Buffer) => {
    const lines = (rest + String(chunk)).split(/\r?\n/);
    rest = (lines.pop() ?? "").slice(0, longestLine);
    for (const line of lines) onLine(line.slice(0, longestLine));
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
