import type { ChannelReport } from "../control/api.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ConversationStore } from "../store/contract.ts";
import type { Gauge, Metrics } from "../telemetry/metrics.ts";

/** Figures read when they are asked for: queues, channels, memory, and how busy the event loop is. */
export function addProcessFigures(options: {
  metrics: Metrics;
  store: ConversationStore;
  reports(): ChannelReport[];
  turns: { running: number };
  clock: Clock;
}): void {
  const { metrics, store, clock } = options;
  const age = (at: number | null) => (at === null ? 0 : Math.max(0, clock.now() - at) / 1000);
  const define = (name: string, help: string, read: Gauge["read"], labelNames: string[] = []) =>
    metrics.addGauge({ name, help, read, labelNames });
  define(
    "revka_inbox_pending",
    "Messages waiting for a turn",
    () => store.counts().pendingMessages,
  );
  define("revka_inbox_oldest_seconds", "Age of the oldest waiting message", () =>
    age(store.counts().oldestPendingAt),
  );
  define("revka_outbox_pending", "Deliveries not yet sent", () => store.counts().openDeliveries);
  define(
    "revka_outbox_failed",
    "Deliveries failed for good",
    () => store.counts().failedDeliveries,
  );
  define("revka_outbox_oldest_seconds", "Age of the oldest delivery not yet sent", () =>
    age(store.counts().oldestOpenDeliveryAt),
  );
  define("revka_media_bytes", "Bytes of all attachments kept", () => store.attachmentBytes());
  define("revka_turns_running", "Turns running", () => options.turns.running);
  define(
    "revka_channel_ready",
    "1 while the channel is ready",
    () =>
      options.reports().map((report) => ({
        labels: { channel: report.channel, backend: report.backend ?? "none" },
        value: report.state === "ready" ? 1 : 0,
      })),
    ["channel", "backend"],
  );
  define(
    "revka_channel_state",
    "1 for the state that the channel is in",
    () =>
      options.reports().map((report) => ({
        labels: {
          channel: report.channel,
          backend: report.backend ?? "none",
          state: report.state,
        },
        value: 1,
      })),
    ["channel", "backend", "state"],
  );
  define(
    "revka_event_loop_lag_seconds",
    "How long the event loop takes to come round",
    eventLoopLag,
  );
  define("revka_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
}

/** Measured when it is asked for: a timer that runs for it would keep an idle machine awake. Seconds. */
async function eventLoopLag(): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  return (performance.now() - began) / 1000;
}
