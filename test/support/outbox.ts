import type { Channel } from "../../src/channels/channel.ts";
// Loaded before any test, whose clock would not wait for it.
import "../../src/conversation/doubt.ts";
import { Outbox } from "../../src/conversation/outbox.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog, type Logger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";

/** An outbox over a real store; its pauses are never spread. */
export function outboxOver(
  store: ConversationStore,
  channelOf: () => Channel | undefined,
  clock: Clock,
  alarms: Alarms = new Alarms(clock, silentLog),
  metrics: Metrics = createMetrics(),
  log: Logger = silentLog,
): Outbox {
  return new Outbox({
    store,
    channelOf,
    clock,
    random: () => 0.5,
    log,
    metrics,
    alarms,
  });
}
