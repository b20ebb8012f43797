import { resolvePaths, type Paths } from "../config/paths.ts";
import {
  ControlError,
  DaemonNotRunning,
  SocketUnusable,
  type ControlClient,
} from "../control/api.ts";
import { controlClient } from "../control/client.ts";
import { CommandError, type Invocation } from "./command.ts";

export function paths({ configFile, env }: Pick<Invocation, "configFile" | "env">): Paths {
  return resolvePaths(configFile ?? null, env, homeOf(env));
}

/**
 * The person's home directory: HOME, else what the system says (loaded only then), which knows none of an account made
 * up by its id.
 */
export function homeOf(
  env: Invocation["env"],
  ask: () => string = () => process.getBuiltinModule("node:os").homedir(),
): string {
  if (env["HOME"]) return env["HOME"];
  try {
    return ask();
  } catch {
    if (env["REVKA_HOME"]) return "/";
    throw new CommandError(
      "this account has no home directory: set HOME or REVKA_HOME, where Revka keeps its files",
    );
  }
}

/**
 * Asks the daemon of this home. Throws {@link CommandError} where none runs, it refuses, or it does not answer within
 * `timeoutMs`.
 */
export async function askDaemon<T>(
  invocation: Invocation,
  ask: (daemon: ControlClient) => Promise<T>,
  timeoutMs = 10_000,
): Promise<T> {
  const { socket, config } = paths(invocation);
  try {
    const late = "what was asked may still be done; see `revka status` and its log";
    return await within(timeoutMs, socket, late, ask(controlClient(socket)));
  } catch (error) {
    if (error instanceof ControlError || error instanceof SocketUnusable) {
      throw new CommandError(error.message);
    }
    if (error instanceof DaemonNotRunning) {
      const first = process.getBuiltinModule("node:fs").existsSync(config)
        ? ""
        : await withoutConfig(config, invocation);
      throw new CommandError(
        `${error.message}; ${first}start it with \`revka daemon\` or \`revka service start\``,
      );
    }
    throw error;
  }
}

async function withoutConfig(config: string, invocation: Invocation): Promise<string> {
  const { configElsewhere } = await import("./elsewhere.ts");
  const elsewhere = configElsewhere(invocation);
  if (elsewhere !== null) return `there is no config either, but ${elsewhere}; or `;
  return `there is no config either: write ${config} with \`revka init${await named(invocation)}\`, then `;
}

async function named({ configFile }: Invocation): Promise<string> {
  if (configFile === undefined) return "";
  const { shellQuote } = await import("../runtime/shell-quote.ts");
  return ` --config ${shellQuote(configFile)}`;
}

/** As {@link askDaemon}, with null where no daemon runs. */
export async function askDaemonIfRunning<T>(
  socket: string,
  ask: (daemon: ControlClient) => Promise<T>,
  timeoutMs = 5_000,
): Promise<T | null> {
  try {
    return await within(timeoutMs, socket, "see its log", ask(controlClient(socket)));
  } catch (error) {
    if (error instanceof DaemonNotRunning) return null;
    const told = error instanceof ControlError || error instanceof SocketUnusable;
    throw told ? new CommandError(error.message) : error;
  }
}

/** A daemon that hangs must not hang the command that asks how it is. */
async function within<T>(
  timeoutMs: number,
  socket: string,
  hint: string,
  answer: Promise<T>,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new CommandError(
          `the daemon took the connection on ${socket} but did not answer within ${timeoutMs / 1000} s; ${hint}`,
        ),
      ),
    timeoutMs,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
