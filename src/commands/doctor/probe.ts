import type { LoadedConfig } from "../../config/load.ts";
import type { StatusReport } from "../../control/api.ts";
import type { Network } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Environment } from "../command.ts";

export const groups = [
  "config",
  "store",
  "clock",
  "daemon",
  "network",
  "cloud",
  "web",
  "wati",
  "gateway",
  "agent",
  "speech",
  "proxy",
  "service",
] as const;
export type Group = (typeof groups)[number];

export type Level = "ok" | "info" | "warning" | "error";

/** One thing looked at, in words a person can act on. */
export interface Finding {
  group: Group;
  name: string;
  level: Level;
  message: string;
  /** What to do about it. */
  next: string | null;
}

export type Verdict = Omit<Finding, "group">;

/** What the probes may look at. */
export interface Examination {
  loaded: LoadedConfig;
  env: Environment;
  network: Network;
  /** Of the running daemon; null where none runs. */
  status: StatusReport | null;
  /** Why a daemon that is there did not say how it is. */
  unheard?: string;
  clock: Clock;
}

/** Looks at one thing, or several that hang together. Must heed the signal; what it throws becomes an error. */
export interface Probe {
  group: Group;
  name: string;
  run(examination: Examination, signal: AbortSignal): Promise<Verdict[]> | Verdict[];
}

export const ok = (name: string, message: string): Verdict => ({
  name,
  level: "ok",
  message,
  next: null,
});

export const info = (name: string, message: string, next: string | null = null): Verdict => ({
  name,
  level: "info",
  message,
  next,
});

export const warning = (name: string, message: string, next: string): Verdict => ({
  name,
  level: "warning",
  message,
  next,
});

export const error = (name: string, message: string, next: string): Verdict => ({
  name,
  level: "error",
  message,
  next,
});

/** Runs all probes side by side, each at most `timeoutMs`; findings come in the order of the probes. Never rejects. */
export async function examine(
  probes: readonly Probe[],
  examination: Examination,
  timeoutMs: number,
): Promise<Finding[]> {
  const found = await Promise.all(
    probes.map(async ({ group, name, run }) => {
      const verdicts = await judged(name, run, examination, timeoutMs);
      return verdicts.map((verdict) => ({ group, ...verdict }));
    }),
  );
  return found.flat();
}

async function judged(
  name: string,
  run: Probe["run"],
  examination: Examination,
  timeoutMs: number,
): Promise<Verdict[]> {
  const stop = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<Verdict[]>();
  const cancel = examination.clock.after(timeoutMs, () => {
    stop.abort(new DOMException("took too long", "TimeoutError"));
    const seconds = timeoutMs / 1000;
    resolve([
      error(
        name,
        `no answer within ${seconds} s`,
        "check the network, then run revka doctor again",
      ),
    ]);
  });
  // The clock's timers do not keep the process alive; this one must, or nothing would be reported.
  const alive = setInterval(() => {}, 60_000);
  const verdicts = (async () => run(examination, stop.signal))().catch((reason: unknown) => [
    error(
      name,
      reason instanceof Error ? reason.message : String(reason),
      "run revka doctor again with --log-level debug",
    ),
  ]);
  try {
    return await Promise.race([verdicts, late]);
  } finally {
    cancel();
    clearInterval(alive);
  }
}
