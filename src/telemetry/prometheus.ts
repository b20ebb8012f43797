/** Figures and their text for Prometheus. Source: prometheus.io/docs/instrumenting/exposition_formats, text, 0.0.4. */

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

type Labels<L extends string> = Partial<Readonly<Record<L, string>>>;

interface Metric {
  /** Its lines, each with its line feed. */
  text(): string;
}

/** Everything that one scrape shows, in the order in which it was made. */
export class Registry {
  readonly #metrics: Metric[] = [];

  add(metric: Metric): void {
    this.#metrics.push(metric);
  }

  metrics(): string {
    return this.#metrics.map((metric) => metric.text()).join("\n");
  }
}

/** What only goes up, by labels of bounded values. */
export class Counter<L extends string> implements Metric {
  readonly #samples = new Map<string, Sample>();

  constructor(
    registry: Registry,
    readonly name: string,
    readonly help: string,
    readonly labelNames: readonly L[],
  ) {
    registry.add(this);
  }

  inc(labels: Labels<L>, by = 1): void {
    let key = "";
    for (const name of this.labelNames) key += `${labels[name] ?? ""}\n`;
    const sample = this.#samples.get(key);
    if (sample) {
      sample.value += by;
      return;
    }
    const given = this.labelNames.map((name) => [name, labels[name] ?? ""] as const);
    this.#samples.set(key, { labels: Object.fromEntries(given), value: by });
  }

  get(): { values: Sample[] } {
    return { values: [...this.#samples.values()] };
  }

  text(): string {
    return head(this.name, this.help, "counter") + samples(this.name, this.get().values);
  }
}

/** A figure that is read when it is asked for. */
export class Gauge implements Metric {
  constructor(
    readonly name: string,
    readonly help: string,
    readonly read: () => number | Sample[],
  ) {}

  text(): string {
    const value = this.read();
    const values = typeof value === "number" ? [{ labels: {}, value }] : value;
    return head(this.name, this.help, "gauge") + samples(this.name, values);
  }
}

/** How often a value came to each of some bounds at most. */
export class Histogram implements Metric {
  /** One more than bounds: what exceeds them all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(
    registry: Registry,
    readonly name: string,
    readonly help: string,
    /** Rising. */
    readonly bounds: readonly number[],
  ) {
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
    registry.add(this);
  }

  observe(value: number): void {
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    const index = bucket === -1 ? this.bounds.length : bucket;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  /** Answers a function that observes the seconds from now to its call. */
  startTimer(): () => void {
    const began = performance.now();
    return () => this.observe((performance.now() - began) / 1000);
  }

  text(): string {
    let count = 0;
    const buckets = this.#counts.map((each, index) => {
      count += each;
      return { labels: { le: number(this.bounds[index] ?? Infinity) }, value: count };
    });
    return (
      head(this.name, this.help, "histogram") +
      samples(`${this.name}_bucket`, buckets) +
      samples(`${this.name}_sum`, [{ labels: {}, value: this.#sum }]) +
      samples(`${this.name}_count`, [{ labels: {}, value: count }])
    );
  }
}

function head(name: string, help: string, type: string): string {
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`;
}

function samples(name: string, values: readonly Sample[]): string {
  return values
    .map(({ labels, value }) => `${name}${labelText(labels)} ${number(value)}\n`)
    .join("");
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
    return `${name}="${escaped}"`;
  });
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function number(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
