import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import type { Power } from "./power.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** Lines of the log that are kept to be shown. */
const keptLines = 40;

export interface VictimOptions {
  home: string;
  port: number;
  config: Record<string, unknown>;
  /** An executable of Revka; the source when null. */
  binary: string | null;
  /** A module that the source is started with. */
  preload?: string;
  /** Beside PATH, HOME and REVKA_HOME. */
  env?: Record<string, string>;
  /** Of its store's disk, where it can be cut. */
  power?: Power | null;
}

/** A daemon that is killed and started again, always with the same home and port. */
export class Victim {
  readonly lines: string[] = [];
  starts = 0;
  /** Ends of the process that nobody asked for. */
  readonly crashes: string[] = [];
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #expected = false;

  constructor(readonly options: VictimOptions) {
    mkdirSync(options.home, { recursive: true, mode: 0o700 });
    writeFileSync(this.#configFile, stringify(options.config), { mode: 0o600 });
  }

  get #configFile(): string {
    return join(this.options.home, "config.toml");
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Starts it and does not wait for anything. */
  start(): void {
    const { binary, home, port, preload, env, power } = this.options;
    const words = ["daemon", "--config", this.#configFile, "--port", String(port)];
    const source = preload ? ["--preload", preload, main] : [main];
    const daemon = binary ? [binary] : [process.execPath, ...source];
    const [command = "", ...rest] = [...(power?.tracer() ?? []), ...daemon, ...words];
    const child = spawn(command, rest, {
      env: { PATH: process.env["PATH"], HOME: home, REVKA_HOME: home, REVKA_LOG: "warn", ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.starts++;
    this.#expected = false;
    this.#child = child;
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.lines.push(line);
      if (this.lines.length > keptLines) this.lines.shift();
    });
    this.#ended = new Promise((resolve) =>
      child.once("exit", (code, signal) => {
        if (!this.#expected)
          this.crashes.push(`${signal ?? `code ${code}`}: ${this.lines.at(-1) ?? ""}`);
        this.#child = null;
        resolve();
      }),
    );
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#expected = true;
    this.#child?.kill(signal);
    await this.#ended;
  }
}
