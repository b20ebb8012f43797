import type { TunnelConfig } from "../config/schema.ts";
import type { Fetch } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { runTool, type RunningTool } from "./process.ts";
import { tunnelTool, type Gateway, type TunnelTool } from "./tool.ts";

/** First and longest wait before the tool is started again. */
const firstDelayMs = 1_000;
const longestDelayMs = 60_000;
/** A tunnel that stood this long starts anew without waiting long. */
const stableMs = 60_000;
const healthIntervalMs = 30_000;
const healthTimeoutMs = 5_000;
/** One lost answer is no reason to change the public address. */
const healthMisses = 3;

export interface TunnelStatus {
  provider: TunnelTool["provider"];
  state: "starting" | "up" | "down" | "stopped";
  publicUrl: string | null;
  /** Why it is not up, for a person; else null. */
  reason: string | null;
}

export interface Tunnel {
  /** Starts the tool and keeps it running. Returns at once; a failure is a status, and is tried again. */
  start(): void;
  /** Resolves once the tool and its children are gone. */
  stop(): Promise<void>;
  /** Where the internet reaches the gateway; null while the tunnel is not up, or where the tool does not say. */
  publicUrl(): string | null;
  status(): TunnelStatus;
  /** Calls back at each change of {@link Tunnel.status}. */
  onChange(listener: () => void): void;
}

export interface TunnelOptions {
  config: TunnelConfig;
  gateway: Gateway;
  env: Readonly<Record<string, string | undefined>>;
  log: Logger;
  clock: Clock;
  /** For `tunnel.custom.health_url`; without it that address is not asked. */
  fetch?: Fetch;
}

/** The tunnel that `[tunnel]` asks for, null for none. Throws an Error that names the missing key. */
export function createTunnel(options: TunnelOptions): Tunnel | null {
  const tool = tunnelTool(options.config, options.gateway);
  return tool && new SupervisedTunnel(tool, options);
}

class SupervisedTunnel implements Tunnel {
  readonly #tool: TunnelTool;
  readonly #options: TunnelOptions;
  readonly #listeners: (() => void)[] = [];
  #status: TunnelStatus;
  #running: RunningTool | null = null;
  #delayMs = firstDelayMs;
  #cancelTimers: (() => void)[] = [];
  #stopping = false;

  constructor(tool: TunnelTool, options: TunnelOptions) {
    this.#tool = tool;
    this.#options = { ...options, log: options.log.child({ tunnel: tool.provider }) };
    this.#status = { provider: tool.provider, state: "stopped", publicUrl: null, reason: null };
  }

  start(): void {
    this.#stopping = false;
    this.#launch();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#clearTimers();
    await this.#running?.stop();
    this.#running = null;
    this.#become("stopped", null, null);
  }

  publicUrl(): string | null {
    return this.#status.publicUrl;
  }

  status(): TunnelStatus {
    return this.#status;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #launch(): void {
    const { clock, log, env } = this.#options;
    const { command, connectTimeoutMs, mayBeSilent } = this.#tool;
    this.#become("starting", null, null);
    let upAt: number | null = null;
    let address: string | null = null;
    const isUp = (url: string | null) => {
      const first = upAt === null;
      address = url;
      this.#become("up", url, null);
      log.info({ url }, "the tunnel is up");
      if (!first) return;
      upAt = clock.now();
      this.#clearTimers();
      this.#watchHealth(running);
    };
    const running = runTool({
      command,
      env: { ...withoutOwn(env), ...this.#tool.env },
      clock,
      onLine: (line) => {
        log.debug({ line }, "tunnel output");
        if (this.#running !== running) return;
        if (upAt !== null && (!mayBeSilent || address !== null)) return;
        const up = this.#tool.read(line);
        if (up && (upAt === null || up.url !== null)) isUp(up.url);
      },
    });
    this.#running = running;
    this.#cancelTimers.push(
      clock.after(connectTimeoutMs, () => {
        if (mayBeSilent) isUp(null);
        else running.fail(`was not up after ${connectTimeoutMs / 1000} s`);
      }),
    );
    void running.ended.then((reason) => {
      if (this.#stopping || this.#running !== running) return;
      this.#clearTimers();
      if (upAt !== null && clock.now() - upAt >= stableMs) this.#delayMs = firstDelayMs;
      this.#again(`${command[0]} ${reason}`);
    });
  }

  #again(reason: string): void {
    const { clock, log } = this.#options;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, longestDelayMs);
    this.#become("down", null, reason);
    log.warn({ reason, again_in_seconds: delayMs / 1000 }, "the tunnel is down");
    this.#cancelTimers.push(clock.after(delayMs, () => this.#launch()));
  }

  #watchHealth(running: RunningTool, misses = 0): void {
    const { clock, config, fetch } = this.#options;
    const url = config.provider === "custom" ? config.custom.health_url : undefined;
    if (!url || !fetch) return;
    const check = async () => {
      const answered = await answers(fetch, url);
      if (this.#running !== running || this.#stopping) return;
      if (answered) this.#watchHealth(running);
      else if (misses + 1 >= healthMisses) running.fail("no longer answers at health_url");
      else this.#watchHealth(running, misses + 1);
    };
    this.#cancelTimers.push(clock.after(healthIntervalMs, () => void check()));
  }

  #become(state: TunnelStatus["state"], publicUrl: string | null, reason: string | null): void {
    this.#status = { provider: this.#tool.provider, state, publicUrl, reason };
    for (const listener of this.#listeners) listener();
  }

  #clearTimers(): void {
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
  }
}

/** Does somebody answer there, with no fault of the server? Never rejects. */
async function answers(fetch: Fetch, url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(healthTimeoutMs) });
    await response.body?.cancel().catch(() => {});
    return response.status < 500;
  } catch {
    return false;
  }
}

/** The tool needs the person's environment (PATH, HOME, its own settings), but none of Revka's secrets. */
function withoutOwn(env: TunnelOptions["env"]): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^(REVKA_|NOTIFY_SOCKET$|WATCHDOG_|CREDENTIALS_DIRECTORY$|.*_API_KEY$)/i.test(name),
    ),
  );
}
