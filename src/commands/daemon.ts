import type { LoadedConfig } from "../config/load.ts";
import { configFileMode } from "../config/file-mode.ts";
import { formatProblem } from "../config/problems.ts";
import { sleep, systemClock } from "../runtime/clock.ts";
import { isTerminal } from "../runtime/is-terminal.ts";
import { createNotifier } from "../runtime/sd-notify.ts";
import { createLogger, logDefaults, type Logger } from "../telemetry/log.ts";
import { createScrubber } from "../telemetry/scrub.ts";
import { stderrDestination } from "../telemetry/stderr.ts";
import { CommandError, exitCode, UsageError, type Command, type Invocation } from "./command.ts";
import { homeOf } from "./running-daemon.ts";

/** A stop ends in ten seconds, ms: what is stored is whole, so whatever hangs may be left behind. */
const STOP_LIMIT = 9_500;

export const command: Command = {
  usage: "daemon [--host H] [--port P]",
  about:
    "Receives messages, calls the agent and sends the replies, until it is told to stop (Ctrl-C or SIGTERM).",
  options: {
    host: { value: "H", description: "Address to listen on, over [gateway] host" },
    port: { value: "P", description: "Port to listen on, over [gateway] port (0: any free one)" },
  },
  examples: [
    ["revka daemon", "run with ~/.revka/config.toml"],
    ["revka daemon --config ./test.toml --port 8080", "another config, another port"],
  ],
  async run(invocation) {
    const loaded = await loadForDaemon(invocation);
    const { problem, ...look } = logDefaults(invocation.env, isTerminal(2));
    const log = createLogger({
      level: invocation.logLevel ?? "info",
      destination: stderrDestination(),
      secrets: loaded.secrets,
      ...look,
    });
    endAtACrash(log);
    if (problem) log.warn({}, problem);
    for (const problem of loaded.warnings) log.warn({}, formatProblem(problem));
    await warnOfReaders(loaded.path, invocation, log);
    const { startDaemon } = await import("../daemon.ts");
    const notifier = createNotifier(invocation.env);
    const stopped = untilStopped(log);
    const root = process.geteuid?.() === 0;
    const give = root ? (await import("./daemon/owners.ts")).giverToOwners(loaded, log) : null;
    let daemon;
    try {
      daemon = await startDaemon({
        loaded,
        env: invocation.env,
        clock: systemClock,
        log,
        showLinking: async (draw) => {
          const text = await draw(invocation.terminal.columns);
          const { stripVTControlCharacters } = process.getBuiltinModule("node:util");
          const shown = isTerminal(2) ? text : stripVTControlCharacters(text);
          invocation.terminal.err(`${shown}\n`);
        },
      });
    } catch (error) {
      if (error instanceof Error && error.name === "UnusableValues") {
        throw (await import("../config/unusable.ts")).asConfigError(error, loaded.path);
      }
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(`the daemon cannot start: ${createScrubber(loaded.secrets)(reason)}`);
    } finally {
      give?.();
    }
    notifier.ready();
    const { watchdogIntervalMs } = notifier;
    const watchdog =
      watchdogIntervalMs === null ? null : setInterval(() => notifier.ping(), watchdogIntervalMs);
    const signal = await stopped;
    log.info({ signal }, "stopping");
    notifier.stopping();
    const whole = await Promise.race([
      daemon.stop().then(() => true),
      sleep(systemClock, STOP_LIMIT).then(() => false),
    ]);
    if (watchdog) clearInterval(watchdog);
    give?.();
    if (whole) log.info({}, "stopped");
    else log.warn({}, "stopped with something still under way; the next start takes it up");
    return exitCode.fine;
  },
};

/**
 * An error that nobody caught ends the daemon: what is stored is whole, what is in memory may not be. Said through the
 * log, since the runtime would print the error as it stands, secrets and all.
 */
function endAtACrash(log: Logger): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log.error({ error }, "crashed; a service manager starts it again");
      process.exit(exitCode.failed);
    });
  }
}

/** What systemd hands over has bits that mean no other account, and cannot be changed. */
async function warnOfReaders(path: string, { env }: Invocation, log: Logger): Promise<void> {
  const handedOver = env["CREDENTIALS_DIRECTORY"];
  if (handedOver && path.startsWith(`${handedOver}/`)) return;
  if (!configFileMode(path)?.readableByOthers) return;
  const { shellQuote } = await import("../runtime/shell-quote.ts");
  log.warn({}, `${path} holds secrets and others can read it: chmod 600 ${shellQuote(path)}`);
}

async function loadForDaemon(invocation: Invocation): Promise<LoadedConfig> {
  const { host, port } = invocation.options;
  const { readConfig } = await import("../config/read.ts");
  return readConfig({
    path: invocation.configFile ?? null,
    env: invocation.env,
    home: homeOf(invocation.env),
    gateway: {
      ...(typeof host === "string" ? { host } : {}),
      ...(typeof port === "string" ? { port: portOf(port) } : {}),
    },
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) {
    throw new UsageError(`--port "${text}" is not a port from 0 to 65535`);
  }
  return port;
}

/**
 * A terminal that hangs up is a person who goes. Where there is none, the signal is a habit of who meant a reload, and
 * a service manager would take an end by it for one that was wanted.
 */
function untilStopped(log: Logger): Promise<NodeJS.Signals> {
  // Asked now: a terminal that has hung up is none any more.
  const atTerminal = ([0, 1, 2] as const).some(isTerminal);
  return new Promise((resolve) => {
    // One that comes again, as to a group and from a supervisor, means the same stop; a second Ctrl-C ends it at once.
    process.on("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    process.on("SIGHUP", (signal) => {
      if (atTerminal) resolve(signal);
      else log.warn({ signal }, "this signal changes nothing; a changed config takes a restart");
    });
  });
}
