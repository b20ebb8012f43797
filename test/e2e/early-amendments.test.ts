import { describe, expect, test } from "bun:test";
import { content } from "../../src/simulator/graph/content.ts";
import { cloudConfig, textsTo } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { owner, startLinked } from "./support/web.ts";

// The daemon is killed between an edit or a delete, which it has acknowledged, and the message that these overtook.

const ada = { phone: "+15550001111", name: "Ada" };
const { text, edit, revoke } = content;

describe("an edit and a delete that overtook their message outlive a kill", () => {
  test("Cloud API", async () => {
    const graph = await startGraph();
    const config = cloudConfig(graph.url);
    await using first = await startDaemon({ config });
    graph.settings.webhooks.url = `${first.url}/whatsapp`;
    graph.write({ from: ada, content: revoke("wamid.regretted") });
    graph.write({ from: ada, content: edit("wamid.worded", "in new words") });
    await graph.idle();
    first.kill("SIGKILL");
    await first.exited;

    await using second = await startDaemon({ config, home: first.home });
    graph.settings.webhooks.url = `${second.url}/whatsapp`;
    graph.write({ from: ada, content: text("regretted"), id: "wamid.regretted" });
    graph.write({ from: ada, content: text("in old words"), id: "wamid.worded" });
    graph.write({ from: ada, content: text("and then?") });
    await graph.waitForSends({ to: ada.phone, count: 2 });
    await graph.idle();
    expect(textsTo(graph, ada.phone).toSorted()).toEqual(["and then?", "in new words"]);
    await graph.stop();
  });

  test("WhatsApp Web", async () => {
    await using s = await startLinked();
    const late = (id: string) => ({ id, chat: s.owner.jid, mine: true });
    await s.ada.send(s.owner, { revoke: late("3EB0REGRETTED") });
    await s.ada.send(s.owner, { edit: late("3EB0WORDED"), text: "in new words" });
    await s.counted("revka_events_ignored_total", `reason="edit"`);
    await s.acknowledged();
    s.daemon.kill("SIGKILL");
    await s.daemon.exited;

    await s.start();
    await s.ready();
    await s.ada.send(s.owner, "regretted", { id: "3EB0REGRETTED" });
    await s.ada.send(s.owner, "in old words", { id: "3EB0WORDED" });
    await s.ada.send(s.owner, "and then?");
    await s.ada.waitForMessage("and then?", 30_000);
    await s.quiet();
    const answers = s.ada.inbox.all.filter(({ from }) => from === owner.number);
    expect(answers.map((answer) => answer.text)).toEqual(["in new words", "and then?"]);
  });
});
