import { Counter, Gauge, Histogram, Registry, type Sample } from "./prometheus.ts";

/** Every figure that `/metrics` shows. Labels are bounded: reasons, types and states of our own naming. */
export interface Metrics {
  registry: Registry;
  messagesIn: Counter<"channel" | "type">;
  duplicates: Counter<"channel">;
  eventsIgnored: Counter<"channel" | "reason">;
  refusals: Counter<"channel" | "reason">;
  webhookRequests: Counter<"channel" | "status">;
  turns: Counter<"outcome">;
  turnSeconds: Histogram;
  deliveries: Counter<"channel" | "outcome">;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter(registry, name, help, labelNames);
  return {
    registry,
    messagesIn: counter("revka_messages_in_total", "Inbound messages admitted", [
      "channel",
      "type",
    ]),
    duplicates: counter("revka_duplicates_total", "Inbound messages seen before", ["channel"]),
    eventsIgnored: counter("revka_events_ignored_total", "Inbound events that start no turn", [
      "channel",
      "reason",
    ]),
    refusals: counter("revka_refusals_total", "Messages refused at admission", [
      "channel",
      "reason",
    ]),
    webhookRequests: counter("revka_webhook_requests_total", "Webhook calls by answer", [
      "channel",
      "status",
    ]),
    turns: counter("revka_turns_total", "Turns ended, by outcome", ["outcome"]),
    turnSeconds: new Histogram(
      registry,
      "revka_turn_seconds",
      "Seconds from the start of a turn to its end, tries included",
      [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300],
    ),
    deliveries: counter("revka_deliveries_total", "Deliveries ended, by outcome", [
      "channel",
      "outcome",
    ]),
  };
}

/** A gauge read at scrape time. */
export function gauge(
  metrics: Metrics,
  name: string,
  help: string,
  read: () => number | Sample[],
): void {
  metrics.registry.add(new Gauge(name, help, read));
}
