import { expect, test } from "bun:test";
import { createMetrics } from "../../src/telemetry/metrics.ts";

/** The lines of one figure, without its description. */
async function shown(metrics: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split("\n");
  return lines.filter((line) => line.startsWith(name));
}

test("what was counted is shown by its labels, and each look shows what it is by then", async () => {
  const metrics = createMetrics();
  metrics.turns.inc({ outcome: "answered" });
  metrics.refusals.inc({ channel: "wati", reason: "no_sender" });
  metrics.refusals.inc({ channel: "wati", reason: "no_sender" }, 2);
  metrics.refusals.inc({ channel: "whatsapp", reason: "no_sender" });
  expect(await shown(metrics, "revka_refusals_total")).toEqual([
    'revka_refusals_total{channel="wati",reason="no_sender"} 3',
    'revka_refusals_total{channel="whatsapp",reason="no_sender"} 1',
  ]);
  metrics.refusals.inc({ channel: "wati", reason: "no_sender" });
  expect(await shown(metrics, "revka_refusals_total")).toEqual([
    'revka_refusals_total{channel="wati",reason="no_sender"} 4',
    'revka_refusals_total{channel="whatsapp",reason="no_sender"} 1',
  ]);
  expect(await shown(metrics, "revka_turns_total")).toContain(
    'revka_turns_total{outcome="answered"} 1',
  );
  expect(await metrics.text()).toContain(
    "# HELP revka_refusals_total Messages refused at admission\n# TYPE revka_refusals_total counter\n",
  );
});

test("failed turns are shown before there is one: Prometheus sees no rise in what was not there", async () => {
  const metrics = createMetrics();
  const failed = () => shown(metrics, 'revka_turns_total{outcome="failed"}');
  expect(await failed()).toEqual(['revka_turns_total{outcome="failed"} 0']);
  metrics.turns.inc({ outcome: "failed" });
  expect(await failed()).toEqual(['revka_turns_total{outcome="failed"} 1']);
});

test("turns are counted by how long they took", async () => {
  const metrics = createMetrics();
  const ended = [metrics.turnStarted(), metrics.turnStarted()];
  for (const end of ended) end();
  expect(await shown(metrics, "revka_turn_seconds_count")).toEqual(["revka_turn_seconds_count 2"]);
  expect(await shown(metrics, 'revka_turn_seconds_bucket{le="300"}')).toEqual([
    'revka_turn_seconds_bucket{le="300"} 2',
  ]);
});

test("gauges are read when they are asked for", async () => {
  const metrics = createMetrics();
  let pending = 1;
  let states = [{ labels: { state: "ready" }, value: 1 }];
  metrics.addGauge({ name: "pending", help: "p", labelNames: [], read: () => pending });
  metrics.addGauge({ name: "states", help: "s", labelNames: ["state"], read: () => states });
  expect(await shown(metrics, "pending")).toEqual(["pending 1"]);
  pending = 0;
  states = [{ labels: { state: "down" }, value: 1 }];
  expect(await shown(metrics, "pending")).toEqual(["pending 0"]);
  expect(await shown(metrics, "states")).toEqual(['states{state="down"} 1']);
});

test("a figure that cannot be read costs no other", async () => {
  const metrics = createMetrics();
  metrics.turns.inc({ outcome: "answered" });
  metrics.addGauge({
    name: "broken",
    help: "b",
    labelNames: [],
    read: () => {
      throw new Error("disk I/O error");
    },
  });
  metrics.addGauge({ name: "pending", help: "p", labelNames: [], read: () => 1 });
  expect(await shown(metrics, "pending")).toEqual(["pending 1"]);
  expect(await shown(metrics, "broken")).toEqual(["broken Nan"]);
  expect(await shown(metrics, "revka_turns_total")).toContain(
    'revka_turns_total{outcome="answered"} 1',
  );
});

test("figures that could not be loaded are loaded at the next look, and cost no turn", async () => {
  const metrics = createMetrics();
  let failures = 2;
  metrics.addGauge({
    name: "revka_some",
    help: "Some",
    get labelNames() {
      if (failures-- > 0) throw new Error("out of memory");
      return [];
    },
    read: () => 7,
  });
  metrics.turnStarted()();
  await Bun.sleep(0);
  await expect(metrics.text()).rejects.toThrow("out of memory");
  expect(await shown(metrics, "revka_some")).toEqual(["revka_some 7"]);
});
