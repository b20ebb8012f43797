import { expect, test } from "bun:test";
import { content } from "../../src/simulator/graph/content.ts";
import { startAgent } from "./support/agent.ts";
import { cloudConfig } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";

test("what waits for a number that the config no longer names is told of, not answered by another, and goes on when it is back", async () => {
  const agent = await startAgent(() => new Promise(() => {}));
  const graph = await startGraph();
  await using first = await startDaemon({
    config: cloudConfig(graph.url, { agent: { kind: "webhook", url: agent.url } }),
  });
  graph.settings.webhooks.url = `${first.url}/whatsapp`;
  graph.write({
    from: { phone: "+15550001111", name: "Ada" },
    content: content.text("wait for me"),
  });
  await graph.idle();
  first.kill("SIGKILL");
  await first.exited;

  await using other = await startDaemon({
    config: cloudConfig(graph.url, { whatsapp: { phone_number_id: "999999999999999" } }),
    home: first.home,
  });
  const status = await other.status();
  expect(status.inbox.pending).toBe(1);
  const [alarm] = status.alarms;
  expect(alarm?.code).toBe("account_gone");
  expect(alarm?.hint).toContain("1 chat ");
  expect(graph.records.sends.entries).toEqual([]);
  expect((await other.stop()).code).toBe(0);

  await using back = await startDaemon({ config: cloudConfig(graph.url), home: first.home });
  const [sent] = await graph.waitForSends({ to: "+15550001111" });
  expect(sent?.text).toBe("wait for me");
  expect((await back.status()).alarms).toEqual([]);
  agent.stop();
  await graph.stop();
});
