import type { RaisedAlarm } from "../telemetry/alarms.ts";

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

/** Fine while every configured channel is ready and nothing of the store is wrong. Holds no number and no secret. */
export function healthOf(channels: ChannelHealth[], alarms: RaisedAlarm[]): Health {
  const reasons = channels
    .filter((entry) => entry.state !== "ready")
    .map((entry) => `${entry.channel} is ${entry.state}${entry.reason ? `: ${entry.reason}` : ""}`);
  const store = alarms.find((alarm) => alarm.source === "store");
  if (store) reasons.push(store.hint);
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
