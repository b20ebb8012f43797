import { setTimeout as pause } from "node:timers/promises";
import type { Fault } from "../../test/doubles/whatsapp-web/faults.ts";
import type { Scene, WebVictim } from "./run.ts";

export interface LinkingResult {
  /** Clean homes that were linked, with one phone each. */
  homes: number;
  kills: number;
  /** Kills after which the server knew the device already. */
  killedLinked: number;
  /** Homes that did not come up linked although the phone says so, or never linked again. */
  lost: string[];
}

/** How long after the scan a kill may come, ms. */
const LINK_MS = 300;
/** A clean home's first start, which makes session, key and store, is killed so long after its begin at most, ms. */
const FIRST_START_MS = 600;
const OUTCOME_MS = 20_000;

/** What stretches or breaks a link, so that kills fall into each of its steps. */
const hindrances: (Fault | null)[] = [
  null,
  null,
  { at: "out:iq:pair-success", do: "delay", ms: 150 },
  { at: "in:iq:pair-device-sign", do: "delay", ms: 150 },
  { at: "in:iq:pair-device-sign", do: "swallow" },
  { at: "in:iq:pair-device-sign", do: "cut" },
  { at: "login", do: "delay", ms: 150 },
];

/**
 * Links phone after phone and kills the daemon in the midst of it. What the server took for linked must come up linked;
 * what it did not must show a code and link then.
 */
export async function killWhileLinking(scene: Scene, rounds: number): Promise<LinkingResult> {
  const result: LinkingResult = { homes: rounds, kills: 0, killedLinked: 0, lost: [] };
  for (let round = 0; round < rounds; round++) {
    const name = `link-${round}`;
    const { wa } = scene;
    const phone = wa.addPhone({ number: `1555100${String(1000 + round)}`, name });
    const victim = await scene.daemon(name);
    victim.start();
    while (scene.random() < 0.3) {
      await pause(Math.floor(scene.random() * FIRST_START_MS));
      await victim.kill();
      victim.start();
    }
    const shown = await victim.channel(({ linking }) => Boolean(linking?.qr));
    if (!shown?.linking?.qr) {
      result.lost.push(`${name}: no code at first`);
      continue;
    }
    const hindrance = hindrances[Math.floor(scene.random() * hindrances.length)] ?? null;
    if (hindrance) wa.fault(hindrance);
    phone.scanQr(shown.linking.qr).catch(() => {});
    if (!hindrance && scene.random() < 0.4)
      await wa.links.made.waitForCount(wa.links.count + 1).catch(() => {});
    await pause(Math.floor(scene.random() ** 2 * LINK_MS));
    await victim.kill();
    result.kills++;
    wa.faults.clear();
    const linked = phone.companions.length > 0;
    if (linked) result.killedLinked++;
    victim.start();
    const problem = await comesUp(victim, linked, (qr) => phone.scanQr(qr));
    if (problem) result.lost.push(`${name}: ${problem}`);
    const how = hindrance ? `${hindrance.at} ${hindrance.do}` : "nothing";
    scene.trace(`${name}: ${how}, linked ${linked}, ${problem ?? "fine"}`);
    await victim.kill();
  }
  scene.say(
    `linking: ${result.kills} kills, ${result.killedLinked} of them once the server knew the device`,
  );
  return result;
}

/** What is wrong, if anything. */
async function comesUp(
  victim: WebVictim,
  linked: boolean,
  scan: (qr: string) => Promise<unknown>,
): Promise<string | null> {
  const first = await victim.channel(
    ({ state, linking }) => state === "ready" || state === "logged_out" || Boolean(linking?.qr),
  );
  if (!first) {
    const seen = await victim.channel(() => true);
    return `neither ready nor linking: ${JSON.stringify(seen)} ${victim.lines.join(" | ")}`;
  }
  if (linked) return first.state === "ready" ? null : `linked, but comes up ${first.state}`;
  if (first.state === "ready") return "ready without a link";
  if (!first.linking?.qr) return `not linked, and shows no code: ${first.reason}`;
  const scanned = await Promise.race([
    scan(first.linking.qr).then(() => true),
    pause(OUTCOME_MS).then(() => false),
  ]).catch(() => false);
  if (!scanned) return "the second link failed";
  return (await victim.channel(({ state }) => state === "ready")) ? null : "not ready after it";
}
