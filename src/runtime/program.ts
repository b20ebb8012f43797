import { builtin } from "./builtin.ts";
import { existsSync } from "node:fs";
import type { Clock } from "./clock.ts";
import { endWithThisProcess, killGroup } from "./end-with-this-process.ts";
import { errorCode } from "./error-code.ts";

/** How long a program that is told to end may take before it is killed. */
const graceMs = 2_000;
/** How long output is read on after the program itself ended (a background child may hold the pipe open). */
const drainMs = 500;

export interface ProgramOptions {
  /** The file and its arguments. No shell is involved. */
  command: readonly [string, ...string[]];
  cwd?: string | undefined;
  /** The whole environment of the program. */
  env: Record<string, string | undefined>;
  /** Written to its standard input, which is then closed. A program need not read it. */
  input: string | Uint8Array;
  /** More standard output than this ends the program. */
  maxOutputBytes: number;
  clock: Clock;
}

export type ProgramOutcome =
  /** `code` is null where a signal of someone else's ended it. Of stderr only its length is kept. */
  | {
      kind: "ended";
      code: number | null;
      signal: string | null;
      stdout: Uint8Array;
      stderrBytes: number;
    }
  /** `code` is the system's own, such as `ENOENT` or `EACCES`; `cwd_missing` where the folder does not exist. */
  | { kind: "not_started"; code: string }
  | { kind: "too_much_output" };

/**
 * Runs a program in a process group of its own. When the signal aborts, or the output grows too long, the whole
 * group gets SIGTERM and after two seconds SIGKILL; the promise settles once it is gone.
 * Throws the signal's reason when aborted, nothing else.
 */
export function runProgram(options: ProgramOptions, signal: AbortSignal): Promise<ProgramOutcome> {
  const { clock } = options;
  const [file, ...args] = options.command;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    if (options.cwd !== undefined && !existsSync(options.cwd)) {
      return resolve({ kind: "not_started", code: "cwd_missing" });
    }
    let child: ReturnType<typeof launch>;
    try {
      child = launch(file, args, options);
    } catch (error) {
      return resolve({ kind: "not_started", code: errorCode(error) ?? "unknown" });
    }

    const chunks: Uint8Array[] = [];
    let stdoutBytes = 0;
    let stderrBytes = 0;
    let stopping: "aborted" | "too_much_output" | null = null;
    let settled = false;
    const timers: (() => void)[] = [];

    const { pid } = child;
    const kill = (name: "SIGTERM" | "SIGKILL") => {
      if (pid !== undefined) killGroup(pid, name);
    };
    if (pid !== undefined) timers.push(endWithThisProcess(pid));
    const settle = (outcome: ProgramOutcome) => {
      if (settled) return;
      settled = true;
      for (const cancel of timers) cancel();
      signal.removeEventListener("abort", onAbort);
      if (pid !== undefined) for (const stream of streamsOf(child)) stream.destroy();
      if (stopping) kill("SIGKILL");
      if (stopping === "aborted") reject(signal.reason);
      else resolve(stopping === "too_much_output" ? { kind: "too_much_output" } : outcome);
    };
    const ended = () =>
      settle({
        kind: "ended",
        code: child.exitCode,
        signal: child.signalCode,
        stdout: Buffer.concat(chunks),
        stderrBytes,
      });
    const stop = (reason: "aborted" | "too_much_output") => {
      if (stopping || settled) return;
      stopping = reason;
      kill("SIGTERM");
      timers.push(
        clock.after(graceMs, () => {
          kill("SIGKILL");
          timers.push(clock.after(drainMs, ended));
        }),
      );
    };
    const onAbort = () => stop("aborted");
    signal.addEventListener("abort", onAbort, { once: true });

    child.on("error", (error) =>
      settle({ kind: "not_started", code: errorCode(error) ?? "unknown" }),
    );
    // It may have no streams then, as where no file can be opened.
    if (pid === undefined) return;
    child.on("exit", () => timers.push(clock.after(drainMs, ended)));
    child.on("close", ended);
    child.stdout.on("data", (chunk: Uint8Array) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes > options.maxOutputBytes) stop("too_much_output");
      else chunks.push(chunk);
    });
    child.stderr.on("data", (chunk: Uint8Array) => {
      stderrBytes += chunk.length;
    });
    // A program that never reads its input closes the pipe: EPIPE is no failure of the turn.
    for (const stream of streamsOf(child)) stream.on("error", () => {});
    child.stdin.end(options.input);
  });
}

function launch(file: string, args: string[], options: ProgramOptions) {
  return builtin.childProcess().spawn(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
}

function streamsOf({ stdin, stdout, stderr }: ReturnType<typeof launch>) {
  return [stdin, stdout, stderr];
}
