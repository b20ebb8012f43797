import { graphVersionNotice } from "../../config/graph-versions.ts";
import type { WhatsAppConfig } from "../../config/schema.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Channel, ChannelStatus, Deliver, TurnFocus } from "../channel.ts";
import type { SendFailure } from "../message.ts";
import { isOwnId } from "../own-id.ts";
import { renderText } from "../text.ts";
import { phoneNumberInfo } from "./account.ts";
import { markRead, sendMessage } from "./client.ts";
import { createGraph, type Graph } from "./graph.ts";
import { cloudRoutes } from "./webhook.ts";

/** One message to one person in six seconds, 45 of them ahead of time. Source: Meta, about-the-platform. */
const recipientIntervalMs = 6_000;
const recipientBurst = 45;

export interface WhatsAppCloudOptions {
  /** Checked before: `access_token`, `phone_number_id` and `verify_token` are set. */
  config: WhatsAppConfig;
  readReceipts: boolean;
  typing: boolean;
  /** null: webhooks are taken unsigned. */
  appSecret: string | null;
  fetch: Fetch;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

/**
 * WhatsApp through Meta's Cloud API: webhooks in, the Graph API out. Throws where the configuration is incomplete.
 * It is `ready` while it takes webhooks; what stands in the way of sending is the outbox's to say.
 */
export function createWhatsAppCloud(options: WhatsAppCloudOptions): Channel {
  const { config, log, clock } = options;
  const phoneNumberId = required(config.phone_number_id, "phone_number_id");
  const verifyToken = required(config.verify_token, "verify_token");
  const graph = createGraph({
    baseUrl: config.api_base_url,
    version: config.graph_api_version,
    accessToken: required(config.access_token, "access_token"),
    fetch: options.fetch,
    clock,
  });
  const listeners: (() => void)[] = [];
  const stopped = new AbortController();
  let deliver: Deliver | null = null;
  let status: ChannelStatus = { state: "connecting", reason: "not started", linkedAs: null };
  const change = (changed: Partial<ChannelStatus>) => {
    status = { ...status, ...changed };
    for (const listener of listeners) listener();
  };
  const seenAs = (phone: string | null) => {
    if (phone !== null && phone !== status.linkedAs) change({ linkedAs: phone });
  };
  const routes = cloudRoutes({
    phoneNumberId,
    verifyToken,
    appSecret: options.appSecret,
    clock,
    log,
    metrics: options.metrics,
    deliver: () => deliver,
    onOwnNumber: seenAs,
  });

  return {
    name: "whatsapp",
    backend: "cloud",
    account: phoneNumberId,
    repeat: "status",
    graceMs: config.status_grace_secs * 1000,
    pace: {
      perSecond: config.messages_per_second,
      recipientIntervalMs,
      recipientBurst,
    },
    routes,
    async start(taker) {
      const notice = graphVersionNotice(config.graph_api_version, clock.now());
      if (notice !== null) log.warn({ version: config.graph_api_version }, notice);
      if (options.appSecret === null) {
        log.warn(
          {},
          "app_secret is not set: whoever knows the address of /whatsapp can write as anybody",
        );
      }
      deliver = taker;
      change({ state: "ready", reason: null });
    },
    async stop() {
      deliver = null;
      stopped.abort();
      change({ state: "disconnected", reason: "the daemon is stopping" });
    },
    status: () => status,
    onStatus(listener) {
      listeners.push(listener);
    },
    renderText: (markdown) => renderText(markdown),
    send: (delivery, signal) => sendMessage(graph, phoneNumberId, delivery, signal),
    async probe(signal) {
      const info = await phoneNumberInfo(graph, phoneNumberId, signal);
      if (!info.ok) return asHold(info.failure);
      seenAs(info.value.phone);
      return info.value.blocked;
    },
    turnStarted(focus) {
      void acknowledge(graph, phoneNumberId, options, focus, stopped.signal);
    },
    turnEnded() {
      // Meta ends typing at the answer or after 25 seconds; there is no call for it.
    },
    async openMedia(media, signal) {
      const { openMedia } = await import("./media-download.ts");
      return openMedia(graph, phoneNumberId, media, signal);
    },
  };
}

function required(value: string | undefined, key: string): string {
  if (value) return value;
  throw new Error(`channels_config.whatsapp.${key} is missing`);
}

/**
 * A question has no side effect, so its lost answer leaves nothing in doubt. A token may send for a number and yet not
 * read it (100, "does not exist, or missing permissions"), and a relay may know nothing but `/messages`.
 */
function asHold(failure: SendFailure): SendFailure {
  const unknown = failure.retry === "no" || /^http_(3\d\d|40[045]|501)$/.test(failure.code);
  return { ...failure, retry: unknown ? "no" : "hold" };
}

/** With read receipts off there is no typing either: Meta shows it only together with the mark. */
async function acknowledge(
  graph: Graph,
  phoneNumberId: string,
  options: WhatsAppCloudOptions,
  focus: TurnFocus,
  signal: AbortSignal,
): Promise<void> {
  const last = focus.messages.findLast((message) => !isOwnId(message.id));
  if (!options.readReceipts || !last) return;
  const typing = options.typing && focus.chat.kind === "direct";
  const failure = await markRead(graph, phoneNumberId, last.id, typing, signal);
  if (failure) options.log.debug({ code: failure.code }, "the message could not be marked read");
}
