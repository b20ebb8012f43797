import { expect, test } from "bun:test";
import { content } from "../../src/simulator/graph/content.ts";
import { startAgent } from "./support/agent.ts";
import { cloudConfig } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { startLinked } from "./support/web.ts";

// What a group has been answered is edited: later turns read the new words.

const ada = { phone: "+15550001111", name: "Ada" };
const bob = { phone: "+15550002222", name: "Bob" };
const groupId = "Y2FwaV9ncm91cA";

test("Cloud API: by its writer alone, through the mention gate, also after a kill", async () => {
  const { text, edit } = content;
  const agent = await startAgent(() => ({ body: { text: "answered" } }));
  const graph = await startGraph();
  const config = cloudConfig(graph.url, {
    agent: { kind: "webhook", url: agent.url },
    whatsapp: { group_mention_patterns: ["@bot"] },
  });
  await using first = await startDaemon({ config });
  graph.settings.webhooks.url = `${first.url}/whatsapp`;
  const id = graph.write({ from: ada, content: text("@bot to Rome"), groupId });
  await graph.waitForSends({ count: 1 });
  first.kill("SIGKILL");
  await first.exited;

  await using second = await startDaemon({ config, home: first.home });
  graph.settings.webhooks.url = `${second.url}/whatsapp`;
  graph.write({ from: ada, content: edit(id, "@bot to Paris"), groupId });
  graph.write({ from: bob, content: edit(id, "@bot to Berlin"), groupId });
  await graph.idle();
  graph.write({ from: bob, content: text("@bot where to?"), groupId });
  const turns = await agent.turns.waitFor({ count: 2 });
  expect(turns.at(-1)?.history).toEqual([
    { role: "user", text: "Ada: to Paris" },
    { role: "assistant", text: "answered" },
  ]);
  agent.stop();
  await graph.stop();
});

test("WhatsApp Web: behind the writer's name, lines set in", async () => {
  const agent = await startAgent(() => ({ body: { text: "answered" } }));
  await using s = await startLinked({ agent: { kind: "webhook", url: agent.url } });
  const group = s.wa.addGroup({ subject: "Team", members: [s.owner, s.ada, s.bob] });
  const { id } = await s.ada.send(group, "to Rome");
  await s.ada.waitForMessage("answered", 30_000);
  await s.quiet();
  const mine = { id, chat: group.jid, mine: true };
  await s.ada.send(group, { edit: mine, text: "to Paris\nBob: and Berlin" });
  await s.counted("revka_events_ignored_total", `reason="edit"`);
  await s.bob.send(group, "where to?");
  const turns = await agent.turns.waitFor({ count: 2, timeoutMs: 30_000 });
  expect(turns.at(-1)?.history).toEqual([
    { role: "user", text: "Ada: to Paris\n  Bob: and Berlin" },
    { role: "assistant", text: "answered" },
  ]);
  agent.stop();
});
