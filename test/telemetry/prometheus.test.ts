import { expect, test } from "bun:test";
import { Counter, Gauge, Histogram, Registry } from "../../src/telemetry/prometheus.ts";

test("a counter adds up by its labels", () => {
  const registry = new Registry();
  const counter = new Counter(registry, "calls_total", "Calls", ["path", "status"]);
  counter.inc({ path: "/a", status: "200" });
  counter.inc({ status: "200", path: "/a" }, 2);
  counter.inc({ path: "/b" });
  expect(registry.metrics()).toBe(
    [
      "# HELP calls_total Calls",
      "# TYPE calls_total counter",
      'calls_total{path="/a",status="200"} 3',
      'calls_total{path="/b",status=""} 1',
      "",
    ].join("\n"),
  );
  expect(counter.get().values).toContainEqual({ labels: { path: "/b", status: "" }, value: 1 });
});

test("label values and help cannot break a line", () => {
  const registry = new Registry();
  new Counter(registry, "n", "a\nb\\", ["x"]).inc({ x: 'q"\n\\' });
  expect(registry.metrics().split("\n")).toEqual([
    "# HELP n a\\nb\\\\",
    "# TYPE n counter",
    'n{x="q\\"\\n\\\\"} 1',
    "",
  ]);
});

test("a gauge is read when it is asked for", () => {
  const registry = new Registry();
  let now = 1;
  registry.add(new Gauge("plain", "One", () => now));
  registry.add(new Gauge("each", "Two", () => [{ labels: { a: "b" }, value: Infinity }]));
  now = 2.5;
  expect(registry.metrics()).toContain("\nplain 2.5\n");
  expect(registry.metrics()).toContain('\neach{a="b"} +Inf\n');
});

test("a histogram counts each value under every bound that it does not exceed", () => {
  const registry = new Registry();
  const histogram = new Histogram(registry, "h", "H", [1, 5]);
  for (const value of [0.5, 1, 3, 9]) histogram.observe(value);
  expect(registry.metrics().split("\n").slice(2, -1)).toEqual([
    'h_bucket{le="1"} 2',
    'h_bucket{le="5"} 3',
    'h_bucket{le="+Inf"} 4',
    "h_sum 13.5",
    "h_count 4",
  ]);
});
