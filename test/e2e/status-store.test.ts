import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { shownStatus } from "../../src/control/status-text.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { cloudConfig, startCloud } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { files } from "./support/files.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

test("status tells of a store that cannot be written though nothing was to be written, and no longer than it is so", async () => {
  await using setup = await startCloud();
  const { daemon } = setup;
  const other = new DatabaseSync(join(daemon.home, "revka.db"));
  other.exec("BEGIN IMMEDIATE");
  expect((await daemon.status()).alarms).toMatchObject([{ source: "store", code: "busy" }]);
  other.exec("ROLLBACK");
  other.close();
  expect((await daemon.status()).alarms).toEqual([]);
});

test("status tells of attachments that fill their space, and no longer once they may take more", async () => {
  const from = { phone: "+15550001111" };
  const limit = (max_media_bytes: number) => ({ root: { store: { max_media_bytes } } });
  await using setup = await startCloud(limit(1));
  const { graph, daemon } = setup;
  const sendsPicture = async (count: number) => {
    graph.write({ from, content: content.image(graph.file(files.png, "image/png")) });
    return (await graph.waitForSends({ to: from.phone, count }))[count - 1]?.text;
  };
  expect(await sendsPicture(1)).toBe("[image]");
  expect((await daemon.status()).alarms).toEqual([]);
  expect(await sendsPicture(2)).toBe("[image, not available]");
  const status = await daemon.status();
  expect(status.alarms).toMatchObject([{ source: "store.media", code: "full" }]);
  const shown = shownStatus(status, Date.now()).text.replace(/\s+/g, " ");
  expect(shown).toContain("Needs a person store.media: full, for");
  expect(shown).toContain("raise `[store] max_media_bytes`, or lower `retention_days`.");
  // Only a person can mend it: nothing that is sent is refused.
  expect((await fetch(`${daemon.url}/health`)).status).toBe(200);
  await daemon.stop();

  await using back = await startDaemon({
    config: cloudConfig(graph.url, limit(1_000_000)),
    home: daemon.home,
  });
  graph.settings.webhooks.url = `${back.url}/whatsapp`;
  expect(await sendsPicture(3)).toBe("[image]");
  expect((await back.status()).alarms).toEqual([]);
});
