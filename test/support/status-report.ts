import type { ChannelReport, StatusReport } from "../../src/control/api.ts";

/** What a daemon says that has no channel and nothing to do; every field can be said otherwise. */
export function statusReport(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    version: "1.2.3",
    variant: "default",
    config_path: "/home/ada/.revka/config.toml",
    daemon: { running: true, pid: 42, uptime_seconds: 60 },
    channels: [],
    inbox: { pending: 0, oldest_age_seconds: null },
    outbox: { pending: 0, failed: 0, unconfirmed: 0, oldest_age_seconds: null },
    turns: { running: 0 },
    refusals: [],
    failed_deliveries: [],
    alarms: [],
    paused_chats: [],
    closed_windows: 0,
    gateway: { address: null, public_url: null },
    ...changes,
  };
}

/** WhatsApp Web, linked; every field can be said otherwise. */
export function webReport(changes: Partial<ChannelReport> = {}): ChannelReport {
  return {
    channel: "whatsapp",
    backend: "web",
    state: "ready",
    reason: null,
    linked_as: "+15550001111",
    last_inbound_at: null,
    last_outbound_at: null,
    last_error: null,
    ...changes,
  };
}
