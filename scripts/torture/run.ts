import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { StatusReport } from "../../src/control/api.ts";
import { controlClient } from "../../src/control/client.ts";
import { seededRandom } from "../../src/simulator/graph/random.ts";
import { startSlowAgent, type SlowAgent } from "./agent.ts";
import { cloudPlatform } from "./cloud.ts";
import { Customers } from "./customers.ts";
import { freePort } from "../free-port.ts";
import { Victim } from "./daemon.ts";
import { smallDisk, type SmallDisk } from "./disk.ts";
import { killFirstStarts, type FirstStarts } from "./first-starts.ts";
import { judge, type Verdict } from "./ledger.ts";
import {
  calmRoundMs,
  planRound,
  platformFaults,
  type KillMoment,
  type Round,
  type Scenario,
} from "./plan.ts";
import { canTrace, Power } from "./power.ts";
import { readStore, type StoreState } from "./store-state.ts";
import type { Platform } from "./platform.ts";
import { watiPlatform } from "./wati.ts";
import { openWay, type Way } from "./way.ts";

export interface TortureOptions {
  rounds: number;
  seed: number;
  scenario: Scenario;
  agent: "echo" | "webhook";
  /** The Cloud API when absent. */
  platform?: "cloud" | "wati";
  chats: number;
  /** An executable of Revka; the source when null. */
  binary: string | null;
  /** Else a second, or five where the power is cut. On a busy machine a status may come later than that. */
  statusGraceSecs?: number;
  /** What goes on, a line at a time. */
  say(line: string): void;
}

export interface TortureReport {
  verdict: Verdict;
  store: StoreState;
  kills: number;
  /** How often the power was cut with a kill, and how much of the store was not synced then; null where it never was. */
  power: { cuts: number; uncertain: number } | null;
  starts: number;
  firstStarts: FirstStarts;
  /** Ends of the daemon that were not asked for, with its last words. */
  crashes: string[];
  /** How many, and the codes of the last of them. */
  failedDeliveries: { count: number; codes: string[] };
  refusals: Record<string, number>;
  /** From a webhook's post to its 200, ms. */
  acknowledgement: { median: number; p99: number };
  agentTurns: number | null;
  seconds: number;
  /** null where the system lets nobody mount a disk to fill. */
  disk: boolean | null;
}

const diskMegabytes = 64;
/** A send with a lost answer waits so long for its status. Longer than the time between two kills, it holds up its chat. */
const statusGraceSecs = 1;
/** Hundreds of statuses may come at once to a daemon whose syncs are slow. */
const powerStatusGraceSecs = 5;
const quietTimeoutMs = 120_000;
/** More than goes by between two pages of a fold. */
const foldPauseMs = 8;
/** A flood that is not folded by then is none. */
const latestFoldMs = 10_000;

/** Kills a daemon again and again while customers write to it, lets it come to rest, and judges what it did. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  if (options.scenario === "power" && !canTrace()) {
    throw new Error("the power cannot be cut here: it takes strace, and the right to trace");
  }
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "revka-torture-")));
  const needsDisk = options.scenario === "disk" || options.scenario === "mixed";
  const disk = needsDisk ? smallDisk(join(folder, "disk"), diskMegabytes) : null;
  if (options.scenario === "disk" && !disk) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error("a disk to fill cannot be mounted here: run it as root on Linux");
  }
  const ending: (() => unknown)[] = [
    () => rmSync(folder, { recursive: true, force: true }),
    () => disk?.remove(),
  ];
  const clean = () => ending.toReversed().forEach((end) => void end());
  process.once("exit", clean);
  try {
    const run = await Torture.prepare(options, folder, disk, ending);
    return await run.execute();
  } finally {
    process.removeListener("exit", clean);
    for (const end of ending.toReversed()) await end();
  }
}

class Torture {
  #kills = 0;

  private constructor(
    readonly options: TortureOptions,
    readonly random: () => number,
    readonly platform: Platform,
    readonly way: Way | null,
    readonly agent: SlowAgent | null,
    readonly customers: Customers,
    readonly victim: Victim,
    readonly power: Power | null,
    readonly disk: SmallDisk | null,
    readonly storePath: string,
    readonly folder: string,
  ) {}

  static async prepare(
    options: TortureOptions,
    folder: string,
    disk: SmallDisk | null,
    ending: (() => unknown)[],
  ): Promise<Torture> {
    const random = seededRandom(options.seed);
    const latency = seededRandom(options.seed + 1);
    const port = await freePort();
    const daemon = `http://127.0.0.1:${port}`;
    const open = options.platform === "wati" ? watiPlatform : cloudPlatform;
    const platform = await open({
      seed: options.seed,
      faults: platformFaults(options.scenario),
      daemon,
      statusGraceSecs:
        options.statusGraceSecs ??
        (options.scenario === "power" ? powerStatusGraceSecs : statusGraceSecs),
    });
    ending.push(() => platform.stop());
    const agent =
      options.agent === "webhook" ? await startSlowAgent(() => 5 + latency() * 120) : null;
    ending.push(() => agent?.stop());
    const way = options.scenario === "away" ? await openWay(platform.url) : null;
    ending.push(() => way?.cut());
    const storePath = join(disk?.path ?? folder, "revka.db");
    // How often it asks depends on the timing.
    const chance = seededRandom(options.seed + 2);
    const power = options.scenario === "power" ? new Power([storePath], folder, chance) : null;
    const victim = new Victim({
      home: join(folder, "home"),
      port,
      binary: options.binary,
      power,
      config: {
        agent: {
          max_concurrent_turns: 16,
          ...(agent ? { kind: "webhook", url: agent.url } : { kind: "echo" }),
        },
        store: { path: storePath },
        channels_config: platform.channels(way?.url ?? platform.url),
      },
    });
    ending.push(() => victim.end("SIGKILL"));
    const customers = new Customers(daemon, platform.webhooks);
    ending.push(() => customers.stop());
    return new Torture(
      options,
      random,
      platform,
      way,
      agent,
      customers,
      victim,
      power,
      disk,
      storePath,
      folder,
    );
  }

  async execute(): Promise<TortureReport> {
    const { options, customers, victim } = this;
    const began = performance.now();
    const times: number[] = [];
    customers.on("acknowledged", (ms) => void times.push(ms));
    const firstStarts = await killFirstStarts({
      ...options,
      victim,
      folder: this.folder,
      random: this.random,
    });
    victim.start();
    for (let number = 1; number <= options.rounds; number++) {
      const round = planRound(options.scenario, options.chats, this.random);
      await this.#round(round);
      if (number % 25 === 0) {
        options.say(`round ${number}: ${customers.written.length} messages, ${this.#kills} kills`);
      }
    }
    const failedDeliveries = await this.#quiet();
    await victim.end("SIGTERM");
    const store = readStore(this.storePath);
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
    return {
      verdict: judge(customers.written, await this.platform.accepted(store), store.order),
      store,
      kills: this.#kills,
      power: this.power && { cuts: this.power.cuts, uncertain: this.power.uncertain },
      starts: victim.starts,
      firstStarts,
      crashes: victim.crashes,
      failedDeliveries,
      refusals: Object.fromEntries(customers.refusals),
      acknowledgement: { median: at(0.5), p99: at(0.99) },
      agentTurns: this.agent?.turns ?? null,
      seconds: (performance.now() - began) / 1000,
      disk: this.disk !== null,
    };
  }

  async #round(round: Round): Promise<void> {
    const { platform, customers, disk } = this;
    if (round.answerDelayMs !== null) await platform.answerAfter(round.answerDelayMs);
    const full = disk && round.fullDisk;
    const filling = full ? setTimeout(() => disk.fill(), full.from) : null;
    const freed = full ? pause(full.to).then(() => disk.free()) : null;
    const away = round.away && this.#away(round.away);
    const moment = this.#moment(round.kill);
    for (const webhook of round.webhooks) customers.post(webhook);
    await moment;
    if (round.kill) {
      const [cut = false, ...cuts] = round.powerCuts;
      await this.#kill(cut);
      for (const [number, ms] of round.killStarts.entries()) {
        await pause(ms);
        await this.#kill(cuts[number] ?? false);
      }
    }
    await freed;
    await away;
    if (filling) clearTimeout(filling);
    if (round.answerDelayMs !== null) await platform.answerAfter(null);
  }

  async #away({ from, to }: { from: number; to: number }): Promise<void> {
    await pause(from);
    await this.way?.cut();
    await pause(to - from);
    await this.way?.mend();
  }

  async #kill(withPower: boolean): Promise<void> {
    await this.power?.on();
    if (this.victim.running) this.#kills++;
    await this.victim.end("SIGKILL");
    if (withPower) await this.power?.cut();
    this.victim.start();
  }

  /** Resolves when the kill is due; a round that does not come so far is killed all the same. */
  async #moment(kill: KillMoment | null): Promise<void> {
    if (!kill) return pause(calmRoundMs);
    const { after, nth, ms } = kill;
    if (after === "folding" || after === "folded") {
      await this.#fold(after);
    } else if (after !== "begin") {
      const { promise: seen, resolve } = Promise.withResolvers<void>();
      let count = 0;
      const listen = () => {
        if (count++ === nth) resolve();
      };
      this.customers.on(after, listen);
      await Promise.race([seen, pause(1_500)]);
      this.customers.off(after, listen);
    }
    // setTimeout takes a millisecond at least: "at once" must be at once.
    if (ms > 0) await pause(ms);
  }

  /** Resolves when the store's file is written, by a daemon that is past its start, or when that is over. */
  async #fold(moment: "folding" | "folded"): Promise<void> {
    await Promise.race([once(this.customers, "acknowledged"), pause(latestFoldMs)]);
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    let over: ReturnType<typeof setTimeout> | undefined;
    const watcher = watch(this.storePath, () => {
      if (moment === "folding") return resolve();
      clearTimeout(over);
      over = setTimeout(resolve, foldPauseMs);
    });
    await Promise.race([seen, pause(latestFoldMs)]);
    watcher.close();
  }

  /**
   * Waits until everything is acknowledged, answered and settled, as long as there is less and less to do. Answers how
   * many deliveries failed.
   */
  async #quiet(): Promise<TortureReport["failedDeliveries"]> {
    const { customers, platform, victim, options } = this;
    const control = controlClient(join(victim.options.home, "revka.sock"));
    let until = performance.now() + quietTimeoutMs;
    let least = Number.POSITIVE_INFINITY;
    for (;;) {
      const status = await control.status().catch(() => null);
      const open = status ? status.inbox.pending + status.outbox.pending : null;
      if (open === 0 && customers.waiting === 0) {
        await platform.idle();
        return failedOf(status);
      }
      if (open !== null && open < least) {
        least = open;
        until = performance.now() + quietTimeoutMs;
      }
      if (performance.now() > until) {
        const { inbox, outbox, alarms, channels } = status ?? {};
        options.say(
          `not quiet after ${quietTimeoutMs / 1000} s: ${open} open, ${customers.waiting} unacknowledged; ${JSON.stringify({ inbox, outbox, alarms, channels })}`,
        );
        return failedOf(status);
      }
      await pause(50);
    }
  }
}

function failedOf(status: StatusReport | null): TortureReport["failedDeliveries"] {
  if (!status) return { count: 0, codes: [] };
  return {
    count: status.outbox.failed,
    codes: status.failed_deliveries.map(({ code }) => code),
  };
}
