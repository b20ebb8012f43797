import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orderFile } from "../../scripts/build/executable.ts";
import { functionsIn, recordStart } from "../../scripts/start-order/record.ts";
import { startDaemonProcess } from "../../src/commands/demo/daemon-process.ts";
import { startGraphSimulator } from "../../src/simulator/graph.ts";
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

test("nothing is compiled while the daemon waits for its first message, and from then on what is hot", async () => {
  const graph = await startGraphSimulator();
  const home = join(scratch, "home");
  const daemon = await startDaemonProcess({
    command: { file: await binary("default"), args: [] },
    home,
    config: cloudConfig(graph.url, { agent: { kind: "echo" } }),
    // The engine tells of each function that it compiles.
    env: { HOME: home, TMPDIR: scratch, BUN_JSC_reportBaselineCompileTimes: "1" },
    isUp: (status) => status === 200,
  });
  const compiled = () => daemon.lines.filter((line) => line.startsWith("Optimized ")).length;
  try {
    graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
    for (let asked = 0; asked < 20; asked++) await fetch(`${daemon.url}/health`);
    expect(compiled()).toBe(0);
    for (let sent = 1; sent <= 40; sent++) {
      graph.write({ from: { phone: "15550001111" }, content: content.text(`message ${sent}`) });
    }
    await graph.waitForSends({ count: 40, timeoutMs: 10_000 });
    expect(compiled()).toBeGreaterThan(20);
  } finally {
    await daemon.stop();
    await graph.stop();
  }
}, 30_000);
