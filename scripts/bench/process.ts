import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { freePort } from "../free-port.ts";
import { account } from "./requests.ts";
import { whatsappSettings } from "../../src/simulator/graph/daemon-settings.ts";

/** A program under measurement. */
export interface Running {
  pid: number;
  port: number;
  /** From exec to the first answer with status 200, ms. */
  startMs: number;
  /** Ends it; SIGKILL where its end is not to be waited for. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Starts a compiled server that takes its port as its first word. */
export async function startBare(file: string, words: string[] = []): Promise<Running> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(file, [String(port), ...words], { stdio: "ignore", env: {} });
  return running(child, port, began);
}

export interface DaemonOptions {
  /** Its home; made where it is missing. */
  home: string;
  /** Where the Graph API is thought to be. */
  graphUrl: string;
  agent: Record<string, unknown>;
}

/**
 * Starts a daemon in Cloud mode as it is shipped: webhooks signed, level info, log as JSON lines into a file beside
 * the store. Only limits that a load test would meet are raised.
 */
export async function startRevka(file: string, options: DaemonOptions): Promise<Running> {
  const { home } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const config = join(home, "config.toml");
  const port = await freePort();
  writeFileSync(config, stringify(configOf(options, port)), { mode: 0o600 });
  const log = openSync(join(home, "log"), "a", 0o600);
  const began = performance.now();
  // As a service starts it.
  const child = spawn(file, ["daemon", "--config", config], {
    stdio: ["ignore", "ignore", log],
    env: { REVKA_HOME: home, HOME: home, PATH: process.env["PATH"] },
  });
  closeSync(log);
  return running(child, port, began);
}

function configOf(options: DaemonOptions, port: number): Record<string, unknown> {
  return {
    gateway: { port },
    agent: options.agent,
    store: { max_pending_messages: 10_000_000, max_pending_bytes: 16 * 1024 ** 3 },
    channels_config: {
      whatsapp: {
        ...whatsappSettings(account, options.graphUrl),
        allowed_numbers: ["*"],
        messages_per_second: 1000,
      },
    },
  };
}

async function running(child: ChildProcess, port: number, began: number): Promise<Running> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const onExit = () => child.kill("SIGKILL");
  process.once("exit", onExit);
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (performance.now() - began > 60_000) throw new Error("it does not answer /health");
  }
  const startMs = performance.now() - began;
  return {
    pid: child.pid ?? -1,
    port,
    startMs,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(timer);
      process.removeListener("exit", onExit);
    },
  };
}

/** One try: connects, asks, and waits for the first bytes. A refused connection costs a fraction of a millisecond. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const end = (fine: boolean) => {
      socket.destroy();
      resolve(fine);
    };
    socket.once("connect", () => socket.write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
    socket.once("data", (bytes) => end(bytes.toString("latin1").startsWith("HTTP/1.1 200")));
    // A pause, so that asking does not take the processor from who is to answer.
    socket.once("error", () => setTimeout(end, 1, false));
  });
}
