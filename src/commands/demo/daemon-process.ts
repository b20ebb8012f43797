import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "smol-toml";
import { controlClient } from "../../control/client.ts";
import { endWithThisProcess } from "../../runtime/end-with-this-process.ts";

/** How often a starting daemon is asked whether it is there, ms. */
const askEveryMs = 5;
/** Lines of the log that an error shows. */
const shownLines = 15;

export interface DaemonProcessOptions {
  /** The file and the words before `daemon`. */
  command: { file: string; args: readonly string[] };
  /** REVKA_HOME; made where it is missing. */
  home: string;
  /** The config file as an object or as TOML. */
  config: Record<string, unknown> | string;
  /** The whole environment, but for REVKA_HOME. */
  env: Record<string, string | undefined>;
  /** Where it listens, over the config's own; any free port when absent. */
  port?: number;
  /** `[gateway] path_prefix` of the config. */
  pathPrefix?: string;
  /** Words after `daemon --config FILE`. */
  extraArgs?: readonly string[];
  readyTimeoutMs?: number;
  /** Is it up with this answer of `/health`? When absent: as soon as it tells its health, good or bad. */
  isUp?: (status: number) => boolean;
  onLine?: (line: string) => void;
}

export interface ExitStatus {
  code: number | null;
  signal: string | null;
}

/** A daemon that runs as a child process, in a group of its own that ends with this process. */
export interface DaemonProcess {
  pid: number;
  /** Base URL of the gateway, the prefix included. */
  url: string;
  home: string;
  configFile: string;
  /** Every line of its stderr so far. */
  lines: string[];
  exited: Promise<ExitStatus>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after `graceMs` (10,000 when absent). */
  stop(graceMs?: number): Promise<ExitStatus>;
}

/** The daemon did not come up. The message holds why, as far as can be told, and the end of its log. */
export class DaemonDidNotStart extends Error {
  override readonly name = "DaemonDidNotStart";
  constructor(
    message: string,
    readonly exit: ExitStatus | null,
  ) {
    super(message);
  }
}

/** Writes the config, starts the daemon and resolves once it answers. Throws {@link DaemonDidNotStart}. */
export async function startDaemonProcess(options: DaemonProcessOptions): Promise<DaemonProcess> {
  const { home, config } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const configFile = join(home, "config.toml");
  const toml = typeof config === "string" ? config : stringify(config);
  writeFileSync(configFile, toml, { mode: 0o600 });

  const { file, args } = options.command;
  const port = ["--port", String(options.port ?? 0)];
  const words = [...args, "daemon", "--config", configFile, ...port, ...(options.extraArgs ?? [])];
  const child = spawn(file, words, {
    env: { ...options.env, REVKA_HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
    // Ctrl-C at a terminal is for this process, which tells the daemon in its own time.
    detached: true,
  });
  if (child.pid !== undefined) child.on("exit", endWithThisProcess(child.pid));
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    options.onLine?.(line);
  });
  let exit: ExitStatus | null = null;
  const exited = new Promise<ExitStatus>((resolve) => {
    const ended = (status: ExitStatus) => resolve((exit ??= status));
    // `close` and not `exit`: the last words of the log must be there.
    child.on("close", (code, signal) => ended({ code, signal }));
    child.on("error", (error) => {
      lines.push(`${file}: ${error.message}`);
      ended({ code: null, signal: null });
    });
  });
  const daemon: DaemonProcess = {
    pid: child.pid ?? -1,
    url: "",
    home,
    configFile,
    lines,
    exited,
    kill: (signal) => void child.kill(signal),
    async stop(graceMs = 10_000) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      const status = await exited;
      clearTimeout(timer);
      return status;
    },
  };
  await comeUp(daemon, options, () => exit);
  return daemon;
}

async function comeUp(
  daemon: DaemonProcess,
  options: DaemonProcessOptions,
  exit: () => ExitStatus | null,
): Promise<void> {
  const timeoutMs = options.readyTimeoutMs ?? 20_000;
  const until = Date.now() + timeoutMs;
  const control = controlClient(join(options.home, "revka.sock"));
  let said = "nothing answers yet";
  while (Date.now() < until && exit() === null) {
    if (daemon.url === "") {
      // A socket that an earlier daemon left behind answers nothing, and its pid is another.
      const status = await control.status().catch(() => null);
      if (status?.daemon.pid === daemon.pid && status.gateway.address) {
        daemon.url = status.gateway.address + (options.pathPrefix ?? "");
        continue;
      }
    } else {
      const health = await getHealth(`${daemon.url}/health`);
      if (health && isUp(health, options)) return;
      if (health) said = `/health answers ${health.status} ${health.body}`;
    }
    const pause = new Promise((resolve) => setTimeout(resolve, askEveryMs));
    await Promise.race([pause, daemon.exited]);
  }
  const ended = exit();
  daemon.kill("SIGKILL");
  await daemon.exited;
  const why = ended
    ? `it ended with ${ended.signal ?? `code ${ended.code}`}`
    : `not within ${timeoutMs} ms (${said})`;
  const log = daemon.lines.slice(-shownLines).map((line) => `\n  ${line}`);
  throw new DaemonDidNotStart(`the daemon did not come up: ${why}${log.join("")}`, ended);
}

interface HealthAnswer {
  status: number;
  body: string;
}

function isUp(health: HealthAnswer, options: DaemonProcessOptions): boolean {
  // A daemon that is still starting answers 503 without a report.
  return options.isUp?.(health.status) ?? health.body.includes('"channels"');
}

function getHealth(url: string): Promise<HealthAnswer | null> {
  return new Promise((resolve) => {
    const asking = request(url, { agent: false, timeout: 2000 }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => (body += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on("error", () => resolve(null));
    });
    asking.on("timeout", () => asking.destroy(new Error("timeout")));
    asking.on("error", () => resolve(null));
    asking.end();
  });
}
