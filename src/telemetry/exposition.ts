import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type * as metrics from "./metrics.ts";

/** The figures as Prometheus reads them. */
export class Exposition {
  readonly #registry = new Registry();
  readonly #turnSeconds: Histogram;

  constructor(counters: readonly metrics.Counter[], gauges: readonly metrics.Gauge[]) {
    const registers = [this.#registry];
    for (const counter of counters) {
      new Counter({
        ...described(counter),
        registers,
        collect() {
          this.reset();
          for (const { labels, value } of counter.get().values) this.inc(labels, value);
        },
      });
    }
    this.#turnSeconds = new Histogram({
      name: "revka_turn_seconds",
      help: "Seconds from the start of a turn to its end, tries included",
      buckets: [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    });
    for (const gauge of gauges) {
      new Gauge({
        ...described(gauge),
        registers,
        async collect() {
          const value = await readable(gauge);
          this.reset();
          if (typeof value === "number") this.set(value);
          else for (const sample of value) this.set(sample.labels, sample.value);
        },
      });
    }
  }

  turnTook(seconds: number): void {
    this.#turnSeconds.observe(seconds);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** A store that cannot be read must not cost the figures that tell of it; what is not known is no zero. */
async function readable(gauge: metrics.Gauge): Promise<number | metrics.Sample[]> {
  try {
    return await gauge.read();
  } catch {
    return gauge.labelNames.length > 0 ? [] : NaN;
  }
}

function described({ name, help, labelNames }: metrics.Figure) {
  return { name, help, labelNames: [...labelNames] };
}
