import type { PlatformFaults } from "./platform.ts";

/** What one round does, decided by the seed alone, so that a run can be repeated. Times in milliseconds. */

export const scenarios = [
  "kill",
  "start",
  "lost",
  "network",
  "away",
  "disk",
  "power",
  "mixed",
  "blind",
] as const;
export type Scenario = (typeof scenarios)[number];

/** One webhook of one chat. */
export interface PlannedWebhook {
  chat: number;
  /** Messages in its body. */
  messages: number;
  /** The least letters of a text, filled up with stops. */
  letters?: number;
  /** Waits before its first post, which reorders webhooks of chats that do not keep order. */
  delayMs: number;
  /** Posts of the same body at the same time, beside the first. */
  copies: number;
  /** Closes the first post's connection so long after its body was written; null lets it be answered. */
  cutAfterMs: number | null;
}

/**
 * When SIGKILL comes: so long after the round began, or after its nth post or acknowledgement, or after the daemon began
 * to fold its write-ahead log into the store's file, or had written that.
 */
export interface KillMoment {
  after: "begin" | "posted" | "acknowledged" | "folding" | "folded";
  nth: number;
  ms: number;
}

export interface Round {
  webhooks: PlannedWebhook[];
  /** null: a round without a kill, so that what waits gets time. */
  kill: KillMoment | null;
  /** Kills of the new process, each so long after its start. */
  killStarts: number[];
  /** Of the kill and of each of `killStarts`: does the power go with it? */
  powerCuts: boolean[];
  /** Sends are answered so late, so that the kill falls between a send and its commit; null: at once. */
  answerDelayMs: number | null;
  /** The disk is full from the first time to the second; null: it is not. */
  fullDisk: { from: number; to: number } | null;
  /** The platform cannot be reached from the first time to the second; null: it can. */
  away: { from: number; to: number } | null;
}

/** `blind` is `lost` without status webhooks: it shows what cannot be promised. */
export function platformFaults(scenario: Scenario): PlatformFaults {
  switch (scenario) {
    case "lost":
      return { loseAnswer: 0.1, drop: 0.04, statuses: true };
    case "blind":
      return { loseAnswer: 0.1, drop: 0.04, statuses: false };
    case "mixed":
      return { loseAnswer: 0.04, drop: 0.02, statuses: true };
    default:
      return { loseAnswer: 0, drop: 0, statuses: true };
  }
}

/** Every second chat keeps order: its next webhook is posted when the one before is acknowledged. */
export function keepsOrder(chat: number): boolean {
  return chat % 2 === 0;
}

/** So many write long messages at once, each a webhook of them, that the daemon folds its write-ahead log. */
const floodChats = 100;
/** How long the start of a daemon takes that is traced, about. */
export const tracedStartMs = 700;

/** How long a round without a kill lasts; more than the daemon's status grace. */
export const calmRoundMs = 1_600;

export function planRound(scenario: Scenario, chats: number, random: () => number): Round {
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const network = scenario === "network" || scenario === "mixed";
  const power = scenario === "power";
  if (power && random() < 0.15) return planFlood(chats, random);
  const starts = scenario === "start" || scenario === "mixed" || power ? 0.3 : 0;
  const latestStart = power ? tracedStartMs : 200;
  const webhooks = Array.from({ length: 3 + upTo(7) }, () => planWebhook(chats, network, random));
  const moments = ["begin", "posted", "acknowledged"] as const;
  const after = moments[upTo(2)] ?? "begin";
  const calm = random() < 0.08;
  const killStarts = scenario === "start" ? [upTo(200)] : [];
  while (random() < starts) killStarts.push(upTo(latestStart));
  const late = random() < 0.5 ? 20 + upTo(180) : null;
  const full = scenario === "disk" || (scenario === "mixed" && random() < 0.1);
  const from = upTo(150);
  const cut = scenario === "away" ? { from: upTo(300), to: 300 + upTo(1_200) } : null;
  return {
    webhooks,
    kill: calm
      ? null
      : after === "begin"
        ? { after, nth: 0, ms: upTo(500) }
        : { after, nth: upTo(webhooks.length - 1), ms: upTo(random() < 0.5 ? 4 : 150) },
    killStarts: calm ? [] : killStarts,
    powerCuts: [0, ...killStarts].map(() => power && random() < 0.8),
    answerDelayMs: late,
    fullDisk: full ? { from, to: from + 50 + upTo(400) } : null,
    away: cut,
  };
}

/** A round that fills the daemon's write-ahead log, and cuts the power while that is folded into the store. */
function planFlood(chats: number, random: () => number): Round {
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  return {
    webhooks: Array.from({ length: floodChats }, (_, place) => ({
      ...planWebhook(chats, false, random),
      chat: chats + place,
      messages: 5,
      letters: 3_500,
    })),
    kill: { after: random() < 0.25 ? "folding" : "folded", nth: 0, ms: upTo(30) },
    killStarts: random() < 0.5 ? [upTo(tracedStartMs)] : [],
    powerCuts: [true, true],
    answerDelayMs: null,
    fullDisk: null,
    away: null,
  };
}

function planWebhook(chats: number, network: boolean, random: () => number): PlannedWebhook {
  const chat = Math.floor(random() * chats);
  return {
    chat,
    messages: 1 + Math.floor(random() * random() * 4),
    delayMs: network && !keepsOrder(chat) ? Math.floor(random() * 80) : 0,
    copies: network && random() < 0.25 ? 1 + Math.floor(random() * 2) : 0,
    cutAfterMs: network && random() < 0.2 ? Math.floor(random() * 15) : null,
  };
}
