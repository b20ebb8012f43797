import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Variant } from "../../scripts/build/variant.ts";
import { orderFile } from "../../scripts/build/executable.ts";
import { functionsIn, recordStart } from "../../scripts/start-order/record.ts";
import { startDaemonProcess } from "../../src/commands/demo/daemon-process.ts";
import { controlClient } from "../../src/control/client.ts";
import { startGraphSimulator, type GraphSimulator } from "../../src/simulator/graph.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { cloudConfig } from "../e2e/support/cloud.ts";
import { binary, root } from "../support/binary.ts";

const scratch = mkdtempSync(join(tmpdir(), "revka-start-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.each(["default", "whatsapp-web"] as const)(
  "most functions that the %s variant runs at its start are laid side by side (else: bun run start-order)",
  async (variant) => {
    const laid = new Set(functionsIn(orderFile(root, variant)));
    const used = (await recordStart(await binary(variant), variant)).trim().split("\n").slice(1);
    expect(used.length).toBeGreaterThan(400);
    expect(used.filter((it) => laid.has(it)).length / used.length).toBeGreaterThan(0.8);
  },
  30_000,
);

const known = "15550001111";
const messages = 40;

/** A daemon whose engine tells of each function that it compiles; `compiled` counts them. */
async function startTelling(variant: Variant, config: Record<string, unknown>) {
  const home = mkdtempSync(join(scratch, "home-"));
  const daemon = await startDaemonProcess({
    command: { file: await binary(variant), args: [] },
    home,
    config,
    env: { HOME: home, TMPDIR: scratch, BUN_JSC_reportBaselineCompileTimes: "1" },
  });
  const health = async (times: number) => {
    for (let asked = 0; asked < times; asked++) await fetch(`${daemon.url}/health`);
  };
  const compiled = () => daemon.lines.filter((line) => line.startsWith("Optimized ")).length;
  return { daemon, home, health, compiled };
}

type Work = (graph: GraphSimulator, home: string) => Promise<unknown>;

const from = (phone: string) => (graph: GraphSimulator) => {
  for (let sent = 1; sent <= messages; sent++) {
    graph.write({ from: { phone }, content: content.text(`message ${sent}`) });
  }
};

test.each<[string, Work]>([
  [
    "messages that are answered",
    async (graph) => {
      from(known)(graph);
      await graph.waitForSends({ count: messages, timeoutMs: 10_000 });
    },
  ],
  [
    "messages that are refused",
    async (graph) => {
      from("15550002222")(graph);
      await graph.idle(10_000);
    },
  ],
  [
    "what a person sends",
    async (graph, home) => {
      const api = controlClient(join(home, "revka.sock"));
      for (let sent = 0; sent < messages; sent++) await api.send({ to: `+${known}`, text: "x" });
      await graph.waitForSends({ count: messages, timeoutMs: 10_000 });
    },
  ],
])(
  "nothing is compiled while the daemon waits, and what is hot with the first of %s",
  async (_, work) => {
    const graph = await startGraphSimulator({ statuses: { states: [] } });
    const config = cloudConfig(graph.url, { whatsapp: { allowed_numbers: [`+${known}`] } });
    const { daemon, home, health, compiled } = await startTelling("default", config);
    try {
      graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
      await health(20);
      expect(compiled()).toBe(0);
      await work(graph, home);
      expect(compiled()).toBeGreaterThan(20);
    } finally {
      await daemon.stop();
      await graph.stop();
    }
  },
  30_000,
);

test("with WhatsApp Web, what is hot is compiled from the start on", async () => {
  const web = { session_path: join(scratch, "session.db"), ws_url: "ws://127.0.0.1:9" };
  const config = { agent: { kind: "echo" }, channels_config: { whatsapp: web } };
  const { daemon, health, compiled } = await startTelling("whatsapp-web", config);
  try {
    await health(100);
    expect(compiled()).toBeGreaterThan(20);
  } finally {
    await daemon.stop();
  }
}, 30_000);
