import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { selectBackend } from "../../config/select.ts";
import type { ChannelReport, StatusReport } from "../../control/api.ts";
import { buildInfo } from "../../runtime/build-info.ts";
import { waitingIn } from "../../store/waiting-counts.ts";

const notRunning = "the daemon is not running";

/**
 * What there is to say while no daemon runs: the channels that the config asks for, none of them connected, and what waits
 * in the store.
 */
export function offlineReport(
  { config, path, paths }: LoadedConfig,
  warn: (sentence: string) => void = () => {},
): StatusReport {
  const waiting = waitingIn(paths.store);
  if (!waiting && existsSync(paths.store)) {
    warn(`${paths.store} cannot be read here, so what waits in it is not counted`);
  }
  return {
    version: buildInfo.version,
    variant: buildInfo.variant,
    config_path: resolve(path),
    daemon: { running: false, pid: null, uptime_seconds: null },
    channels: offlineChannels(config, buildInfo.variant === "whatsapp-web"),
    inbox: { pending: waiting?.messages ?? 0, oldest_age_seconds: null },
    outbox: {
      pending: waiting?.deliveries ?? 0,
      failed: waiting?.failed ?? 0,
      unconfirmed: 0,
      oldest_age_seconds: null,
    },
    turns: { running: 0 },
    refusals: [],
    failed_deliveries: [],
    alarms: [],
    paused_chats: [],
    closed_windows: 0,
    gateway: { address: null, public_url: config.gateway.public_url ?? null },
  };
}

function offlineChannels(config: Config, whatsappWeb: boolean): ChannelReport[] {
  const channels: ChannelReport[] = [];
  const selection = selectBackend(config.channels_config.whatsapp, { whatsappWeb });
  if (selection.kind === "run") {
    channels.push(report("whatsapp", selection.backend, "disconnected", notRunning));
  } else if (selection.kind === "skip") {
    channels.push(report("whatsapp", null, "skipped", selection.message));
  }
  if (config.channels_config.wati) {
    channels.push(report("wati", "wati", "disconnected", notRunning));
  }
  return channels;
}

function report(
  channel: ChannelReport["channel"],
  backend: ChannelReport["backend"],
  state: ChannelReport["state"],
  reason: string,
): ChannelReport {
  return {
    channel,
    backend,
    state,
    reason,
    linked_as: null,
    last_inbound_at: null,
    last_outbound_at: null,
    last_error: null,
  };
}
