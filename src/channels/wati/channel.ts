import type { WatiConfig } from "../../config/schema.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Channel, ChannelStatus, Deliver, Pace } from "../channel.ts";
import { renderText } from "../text.ts";
import type { WatiClient } from "./api.ts";
import { probe, sendDelivery } from "./client.ts";
import { mayBeOne, readEndpoint } from "./endpoint.ts";
import { openMedia } from "./media.ts";
import { findSent } from "./sent.ts";
import { watiRoutes } from "./webhook.ts";

export interface WatiOptions {
  /** Checked before: `api_token` is set. */
  config: WatiConfig;
  fetch: Fetch;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

/** What WATI has taken should be in its own list by then. */
const settleMs = 2_000;

/** WATI lists messages ten times in ten seconds. Source: support.wati.io 11823158. */
const askPace: Pace = { perSecond: 1, recipientIntervalMs: 1_000, recipientBurst: 1 };

/**
 * WhatsApp through WATI: its webhooks in, version 3 of its API out. Throws where the configuration is incomplete. It
 * is `ready` while it takes webhooks; what stands in the way of sending is the outbox's to say. WATI takes no key
 * that would make a repeated send the same one, and its statuses name none, but it tells what a conversation holds.
 */
export function createWati(options: WatiOptions): Channel {
  const { config, clock, log, metrics } = options;
  const client: WatiClient = { endpoint: readEndpoint(config), fetch: options.fetch, clock };
  const secret = config.webhook_secret?.trim() || null;
  const listeners: (() => void)[] = [];
  let deliver: Deliver | null = null;
  let status: ChannelStatus = { state: "connecting", reason: "not started", linkedAs: null };
  const change = (changed: Partial<ChannelStatus>) => {
    status = { ...status, ...changed };
    for (const listener of listeners) listener();
  };

  return {
    name: "wati",
    backend: "wati",
    account: client.endpoint.account,
    wasAccount: (account) => mayBeOne(account, client.endpoint.account),
    repeat: "ask",
    graceMs: settleMs,
    askPace,
    routes: watiRoutes({
      secret,
      ownNumber: client.endpoint.ownNumber,
      clock,
      log,
      metrics,
      deliver: () => deliver,
    }),
    async start(taker) {
      if (secret === null) {
        log.warn(
          {},
          "webhook_secret is not set: whoever knows the address of /wati can write as anybody",
        );
      }
      deliver = taker;
      change({ state: "ready", reason: null });
    },
    async stop() {
      deliver = null;
      change({ state: "disconnected", reason: "the daemon is stopping" });
    },
    status: () => status,
    onStatus(listener) {
      listeners.push(listener);
    },
    renderText: (markdown) => renderText(markdown),
    send: (delivery, signal) => sendDelivery(client, delivery, signal),
    findSent: (delivery, since, signal) => findSent(client, delivery, since, signal),
    probe: (signal) => probe(client, signal),
    turnStarted() {
      // WATI offers neither read receipts nor typing.
    },
    turnEnded() {},
    openMedia: (media, signal) => openMedia(client, media, signal),
  };
}
