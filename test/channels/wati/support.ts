import * as v from "valibot";
import type { Channel } from "../../../src/channels/channel.ts";
import type { Delivery, DeliveryContent } from "../../../src/channels/message.ts";
import { createWati, type WatiOptions } from "../../../src/channels/wati/channel.ts";
import { watiSchema } from "../../../src/config/schema.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

/** A channel that speaks to `api_url` with the simulator's token. */
export function wati(config: object, more: Partial<WatiOptions> = {}): Channel {
  return createWati({
    config: v.parse(watiSchema, { api_token: "wati-simulator-token", ...config }),
    fetch: globalThis.fetch,
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
    ...more,
  });
}

export function delivery(content: DeliveryContent, more: Partial<Delivery> = {}): Delivery {
  return {
    id: "d1",
    chat: { kind: "direct", id: "+15550001111" },
    recipient: { kind: "direct", phone: "+15550001111", userId: null, lid: null },
    content,
    ...more,
  };
}

export const text = (words: string): DeliveryContent => ({
  kind: "text",
  text: words,
  quote: null,
});

export const never = new AbortController().signal;
