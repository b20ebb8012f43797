import type { Clock } from "../runtime/clock.ts";
import type { RaisedAlarm } from "../telemetry/alarms.ts";

const CHECKS_AT_ONCE = 10;
/** How often one more is allowed, ms. */
const CHECK_INTERVAL = 1_000;

/** What `/health` knows of one configured channel. */
export interface ChannelHealth {
  channel: string;
  backend: string | null;
  state: string;
  reason: string | null;
}

export interface Health {
  status: "ok" | "failing";
  reasons: string[];
  channels: ChannelHealth[];
}

/** A check that writes, ten at once and then one a second: anybody may ask for the health, and a disk wears out. */
export function sparingly(check: () => Promise<void>, clock: Clock): () => Promise<void> {
  let left = CHECKS_AT_ONCE;
  let countedAt = clock.now();
  let last = Promise.resolve();
  return () => {
    const gained = Math.max(0, clock.now() - countedAt) / CHECK_INTERVAL;
    left = Math.min(CHECKS_AT_ONCE, left + gained);
    countedAt = clock.now();
    if (left >= 1) {
      left--;
      last = check();
    }
    return last;
  };
}

/** Fine while every configured channel is ready and nothing of the store is wrong. Holds no number and no secret. */
export function healthOf(channels: ChannelHealth[], alarms: RaisedAlarm[]): Health {
  const reasons = channels
    .filter((entry) => entry.state !== "ready")
    .map((entry) => `${entry.channel} is ${entry.state}${entry.reason ? `: ${entry.reason}` : ""}`);
  for (const { source, hint } of alarms) {
    if (source === "store" || source === "store.read") reasons.push(hint);
  }
  return {
    status: reasons.length === 0 ? "ok" : "failing",
    reasons,
    channels: channels.map(({ channel, backend, state, reason }) => ({
      channel,
      backend,
      state,
      reason,
    })),
  };
}
