import { Counter, Gauge, Histogram, Registry } from "prom-client";

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
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
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
    turnSeconds: new Histogram({
      name: "revka_turn_seconds",
      help: "Seconds from the start of a turn to its end, tries included",
      buckets: [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    }),
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
  read: () => number | { labels: Record<string, string>; value: number }[],
  labelNames: string[] = [],
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [metrics.registry],
    collect() {
      const value = read();
      this.reset();
      if (typeof value === "number") this.set(value);
      else for (const sample of value) this.set(sample.labels, sample.value);
    },
  });
}
