import { startDeadline } from "../../net/deadline.ts";
import type { Clock } from "../../runtime/clock.ts";
import { runProgram } from "../../runtime/program.ts";
import { SpeechError } from "../error.ts";

export interface Tool {
  /** As it is called in errors. */
  name: string;
  command: readonly [string, ...string[]];
  input: string | Uint8Array;
  env: Record<string, string | undefined>;
  clock: Clock;
  timeoutMs: number;
  maxOutputBytes: number;
}

/**
 * Runs a program that turns its input into sound. Throws {@link SpeechError} where it fails, takes too long or gives
 * nothing, or the signal's reason when aborted.
 */
export async function runTool(tool: Tool, signal: AbortSignal): Promise<Uint8Array> {
  const { name, timeoutMs } = tool;
  const deadline = startDeadline(tool.clock, timeoutMs, signal);
  try {
    const outcome = await runProgram({ ...tool, env: toolEnvironment(tool.env) }, deadline.signal);
    if (outcome.kind === "not_started") {
      throw new SpeechError(`${name} did not start (${outcome.code})`, false);
    }
    if (outcome.kind === "too_much_output") {
      throw new SpeechError(`${name} gave more than ${tool.maxOutputBytes} bytes`, false);
    }
    if (outcome.code !== 0) {
      throw new SpeechError(
        `${name} ended with ${outcome.signal ?? `exit code ${outcome.code}`}`,
        true,
      );
    }
    if (outcome.stdout.length === 0) throw new SpeechError(`${name} gave no sound`, true);
    return outcome.stdout;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (deadline.expired) {
      throw new SpeechError(`${name} was not done within ${timeoutMs / 1000} seconds`, true);
    }
    throw error;
  } finally {
    deadline.cancel();
  }
}

const passed = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE"];

/** A tool needs no key, and takes its proxy by argument or not at all. */
function toolEnvironment(env: Record<string, string | undefined>) {
  return Object.fromEntries(passed.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
