import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  startDaemonProcess,
  type DaemonProcess,
  type DaemonProcessOptions,
} from "../../../src/commands/demo/daemon-process.ts";
import type { StatusReport } from "../../../src/control/api.ts";
import { controlClient } from "../../../src/control/client.ts";

export { DaemonDidNotStart } from "../../../src/commands/demo/daemon-process.ts";

export interface StartOptions extends Omit<
  DaemonProcessOptions,
  "command" | "home" | "env" | "onLine"
> {
  /** An executable of Revka; else the REVKA_BINARY of the environment; else the source. */
  binary?: string;
  /** A module that the source is started with (`bun --preload`); an executable takes none, so it is the source. */
  preload?: string;
  /** Beside PATH, HOME (the home) and TMPDIR. */
  env?: Record<string, string | undefined>;
  /** A home of an earlier daemon, to go on with; it is then not removed. A new one when absent. */
  home?: string;
}

export interface TestDaemon extends DaemonProcess {
  /** What `revka status` would show. */
  status(): Promise<StatusReport>;
  /** Resolves with the first line of the log, past ones included, that matches. */
  waitForLog(pattern: RegExp | string, timeoutMs?: number): Promise<string>;
  /** Stops it, however it is, and removes its home. */
  [Symbol.asyncDispose](): Promise<void>;
}

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

/** Starts a real daemon as a child process, in a home of its own, and resolves once it answers. */
export async function startDaemon(options: StartOptions): Promise<TestDaemon> {
  const ownHome = options.home === undefined;
  const home = options.home ?? mkdtempSync(join(tmpdir(), "revka-test-"));
  const listeners = new Set<(line: string) => void>();
  const daemon = await startDaemonProcess({
    ...options,
    command: commandOf(options),
    home,
    env: {
      PATH: process.env["PATH"],
      TMPDIR: process.env["TMPDIR"],
      HOME: home,
      REVKA_LOG_FORMAT: "json",
      ...options.env,
    },
    onLine: (line) => {
      for (const listener of listeners) listener(line);
    },
  }).catch((error: unknown) => {
    if (ownHome) rmSync(home, { recursive: true, force: true });
    throw error;
  });
  // A script that exits leaves nothing behind. `bun test` does not announce its end: tests say `await using`.
  const clean = () => {
    daemon.kill("SIGKILL");
    if (ownHome) rmSync(home, { recursive: true, force: true });
  };
  process.once("exit", clean);
  const control = controlClient(join(home, "revka.sock"));
  return Object.assign(daemon, {
    status: () => control.status(),
    waitForLog: (pattern: RegExp | string, timeoutMs = 5000) =>
      waitForLine(daemon.lines, listeners, pattern, timeoutMs),
    async [Symbol.asyncDispose]() {
      daemon.kill("SIGKILL");
      await daemon.exited;
      clean();
      process.removeListener("exit", clean);
    },
  });
}

function commandOf({ binary, preload }: StartOptions): DaemonProcessOptions["command"] {
  const executable = binary ?? (preload ? undefined : process.env["REVKA_BINARY"]);
  if (executable) return { file: executable, args: [] };
  return { file: process.execPath, args: preload ? ["--preload", preload, main] : [main] };
}

function waitForLine(
  lines: readonly string[],
  listeners: Set<(line: string) => void>,
  pattern: RegExp | string,
  timeoutMs: number,
): Promise<string> {
  const matches = (line: string) =>
    typeof pattern === "string" ? line.includes(pattern) : pattern.test(line);
  const found = lines.find(matches);
  if (found !== undefined) return Promise.resolve(found);
  return new Promise((resolve, reject) => {
    const listen = (line: string) => {
      if (!matches(line)) return;
      finish();
      resolve(line);
    };
    const timer = setTimeout(() => {
      finish();
      const tail = lines.slice(-10).join("\n");
      reject(
        new Error(`no log line matches ${pattern} within ${timeoutMs} ms; the last:\n${tail}`),
      );
    }, timeoutMs);
    const finish = () => {
      clearTimeout(timer);
      listeners.delete(listen);
    };
    listeners.add(listen);
  });
}
