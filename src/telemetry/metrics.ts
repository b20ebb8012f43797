import { onceLoaded } from "../runtime/once.ts";

/** One figure with the labels that tell it from its siblings. */
export interface Sample<L extends string = string> {
  labels: Record<L, string>;
  value: number;
}

export interface Figure {
  name: string;
  help: string;
  labelNames: readonly string[];
}

/** A figure that only rises. A plain number, so that nothing need be loaded to count. */
export class Counter<L extends string = string> implements Figure {
  readonly #samples = new Map<string, Sample<L>>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly labelNames: readonly L[],
  ) {}

  inc(labels: Record<L, string>, by = 1): void {
    const key = this.labelNames.map((name) => labels[name]).join("\0");
    const known = this.#samples.get(key);
    if (known) known.value += by;
    else this.#samples.set(key, { labels, value: by });
  }

  get(): { values: Sample<L>[] } {
    return { values: [...this.#samples.values()] };
  }
}

/** A figure that is read when it is asked for. */
export interface Gauge extends Figure {
  read: () => number | Sample[] | Promise<number>;
}

/** Every figure that `/metrics` shows. Labels are bounded: reasons, types and states of our own naming. */
export interface Metrics {
  messagesIn: Counter<"channel" | "type">;
  duplicates: Counter<"channel">;
  eventsIgnored: Counter<"channel" | "reason">;
  refusals: Counter<"channel" | "reason">;
  webhookRequests: Counter<"channel" | "status">;
  turns: Counter<"outcome">;
  deliveries: Counter<"channel" | "outcome">;
  /** Starts to measure a turn; the answer ends it. */
  turnStarted(): () => void;
  addGauge(gauge: Gauge): void;
  /** What `/metrics` answers, in the text format of Prometheus. */
  text(): Promise<string>;
}

/** prom-client is loaded with the first turn or the first look at `/metrics`: a start waits for none of it. */
export function createMetrics(): Metrics {
  const counters = {
    messagesIn: new Counter("revka_messages_in_total", "Inbound messages admitted", [
      "channel",
      "type",
    ]),
    duplicates: new Counter("revka_duplicates_total", "Inbound messages seen before", ["channel"]),
    eventsIgnored: new Counter("revka_events_ignored_total", "Inbound events that start no turn", [
      "channel",
      "reason",
    ]),
    refusals: new Counter("revka_refusals_total", "Messages refused at admission", [
      "channel",
      "reason",
    ]),
    webhookRequests: new Counter("revka_webhook_requests_total", "Webhook calls by answer", [
      "channel",
      "status",
    ]),
    turns: new Counter("revka_turns_total", "Turns ended, by outcome", ["outcome"]),
    deliveries: new Counter("revka_deliveries_total", "Deliveries ended, by outcome", [
      "channel",
      "outcome",
    ]),
  };
  // Else the first one is none to Prometheus, which sees no rise in what was not there.
  counters.turns.inc({ outcome: "failed" }, 0);
  const gauges: Gauge[] = [];
  const exposition = onceLoaded(async () => {
    const { Exposition } = await import("./exposition.ts");
    return new Exposition(Object.values(counters), gauges);
  });
  return {
    ...counters,
    turnStarted() {
      const began = performance.now();
      return () => {
        const seconds = (performance.now() - began) / 1000;
        exposition().then(
          (it) => it.turnTook(seconds),
          () => {},
        );
      };
    },
    addGauge: (gauge) => void gauges.push(gauge),
    text: async () => (await exposition()).text(),
  };
}
