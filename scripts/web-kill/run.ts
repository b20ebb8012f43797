import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { controlClient } from "../../src/control/client.ts";
import type { ChannelReport, StatusReport } from "../../src/control/api.ts";
import { seededRandom } from "../../src/simulator/graph/random.ts";
import { silenceLibsignal } from "../../test/doubles/whatsapp-web/quiet.ts";
import { type WhatsAppDouble, startDouble } from "../../test/doubles/whatsapp-web/server.ts";
import { startSlowAgent } from "../torture/agent.ts";
import { freePort } from "../free-port.ts";
import { Victim } from "../torture/daemon.ts";
import { canTrace, Power } from "../torture/power.ts";
import { killWhileLinking, type LinkingResult } from "./linking.ts";
import { killInTraffic, type TrafficResult } from "./traffic.ts";

export interface WebKillOptions {
  rounds: number;
  seed: number;
  /** The power goes with most kills: of store and session is left what was synced, and any part of the rest. */
  power?: boolean;
  /** What goes on, a line at a time. */
  say(line: string): void;
  /** What happens in every round. */
  trace?(line: string): void;
}

export interface WebKillReport {
  linking: LinkingResult;
  traffic: TrafficResult;
  kills: number;
  /** How often the power was cut with a kill, and how many changes were not synced then; null where it never was. */
  power: { cuts: number; uncertain: number } | null;
  /** Ends of the daemon that were not asked for, with its last words. */
  crashes: string[];
  seconds: number;
}

/** What the parts of a run share. */
export interface Scene {
  wa: WhatsAppDouble;
  random: () => number;
  /** A daemon in a home of its own; started by the caller. */
  daemon(name: string): Promise<WebVictim>;
  say(line: string): void;
  trace(line: string): void;
}

/** A link is worth a fifth of the rounds: it happens once in a life. */
const LINKING_SHARE = 5;
/** The machine may be busy; only a run that fails waits so long. */
const PATIENCE_MS = 60_000;
const ASK_MS = 5_000;
/** Of the kills. */
const POWER_SHARE = 0.8;

const trustDouble = fileURLToPath(
  new URL("../../test/doubles/whatsapp-web/trust-double.ts", import.meta.url),
);

/** Kills a daemon again and again, lets it come to rest, and judges by what the phones read. */
export async function killWeb(options: WebKillOptions): Promise<WebKillReport> {
  if (options.power && !canTrace()) {
    throw new Error("the power cannot be cut here: it takes strace, and the right to trace");
  }
  silenceLibsignal();
  const began = performance.now();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "revka-web-kill-")));
  const wa = await startDouble();
  const random = seededRandom(options.seed);
  const latency = seededRandom(options.seed + 1);
  // How often it is asked depends on the timing.
  const chance = seededRandom(options.seed + 2);
  const agent = await startSlowAgent(() => latency() * 60);
  const certificate = join(folder, "media.pem");
  writeFileSync(certificate, wa.mediaCertificate ?? "");
  const victims: WebVictim[] = [];
  const daemon = async (name: string) => {
    const home = join(folder, name);
    const sessionPath = join(home, "session.db");
    const power = new Power([join(home, "revka.db"), sessionPath], folder, chance);
    const victim = new WebVictim({
      home,
      power: options.power ? power : null,
      port: await freePort(),
      binary: null,
      preload: trustDouble,
      env: { REVKA_TEST_WA_ROOT: wa.rootHex, NODE_EXTRA_CA_CERTS: certificate },
      config: {
        agent: { kind: "webhook", url: agent.url },
        channels_config: {
          whatsapp: {
            session_path: sessionPath,
            ws_url: wa.url,
            allowed_numbers: ["*"],
          },
        },
      },
    });
    victims.push(victim);
    return victim;
  };
  const clean = () => {
    for (const victim of victims) void victim.end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  try {
    const { say, trace = () => {} } = options;
    const scene: Scene = { wa, random, daemon, say, trace };
    const linkingRounds = Math.floor(options.rounds / LINKING_SHARE);
    const linking = await killWhileLinking(scene, linkingRounds);
    const traffic = await killInTraffic(scene, options.rounds - linkingRounds);
    return {
      linking,
      traffic,
      kills: linking.kills + traffic.kills,
      power: options.power ? powerOf(victims) : null,
      crashes: victims.flatMap(({ crashes }) => crashes),
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    process.removeListener("exit", clean);
    for (const victim of victims) await victim.end("SIGKILL");
    await wa.stop();
    agent.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Was nothing lost, repeated or mixed up, and no link lost? */
export function isFine({ linking, traffic, crashes }: WebKillReport): boolean {
  const { lost, answeredTwice, outOfOrder, foreign, links, failed } = traffic;
  const bad = [linking.lost, lost, answeredTwice, outOfOrder, foreign, crashes];
  return bad.every((list) => list.length === 0) && links === 1 && failed === 0;
}

function powerOf(victims: WebVictim[]): WebKillReport["power"] {
  const all = victims.flatMap(({ options: { power } }) => power ?? []);
  const sum = (count: (power: Power) => number) =>
    all.reduce((total, power) => total + count(power), 0);
  return { cuts: sum(({ cuts }) => cuts), uncertain: sum(({ uncertain }) => uncertain) };
}

/** A daemon that can be asked how its channel stands. */
export class WebVictim extends Victim {
  /** Kills it, and cuts the power with most kills where it has one. */
  async kill(): Promise<void> {
    const { power } = this.options;
    await power?.on();
    await this.end("SIGKILL");
    if (power && power.random() < POWER_SHARE) await power.cut();
  }

  /** Its status once it is as wanted; null where that never happens. */
  async until(wanted: (status: StatusReport) => boolean): Promise<StatusReport | null> {
    const control = controlClient(join(this.options.home, "revka.sock"));
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until) {
      // A daemon that dies while it is asked may leave the question open.
      const status = await Promise.race([
        control.status().catch(() => null),
        pause(ASK_MS).then(() => null),
      ]);
      if (status && wanted(status)) return status;
      await pause(5);
    }
    return null;
  }

  async channel(wanted: (channel: ChannelReport) => boolean): Promise<ChannelReport | null> {
    const status = await this.until(({ channels: [web] }) => web !== undefined && wanted(web));
    return status?.channels[0] ?? null;
  }
}
