import { expect, test } from "bun:test";
import { content } from "../../src/simulator/graph/content.ts";
import { until } from "../support/until.ts";
import { startAgent } from "./support/agent.ts";
import { startCloud, textsTo } from "./support/cloud.ts";
import { answerTo, impatient, refusedOnce } from "./support/refused.ts";

const ada = { phone: "15550001111" };
const bob = { phone: "15550002222" };
const { text } = content;

test("more waiting messages than allowed get 503, and are taken when there is room", async () => {
  const gate = Promise.withResolvers<void>();
  const agent = await startAgent(async (turn) => {
    await gate.promise;
    return { body: { text: turn.messages[0]?.text } };
  });
  await using setup = await startCloud(
    {
      agent: { kind: "webhook", url: agent.url },
      root: { store: { max_pending_messages: 5 } },
    },
    { graph: { webhooks: impatient } },
  );
  const { graph, daemon } = setup;
  const texts = Array.from({ length: 12 }, (_, i) => `message ${i}`);
  texts.forEach((each, i) =>
    graph.write({ from: { phone: `1555000100${i}` }, content: text(each) }),
  );
  await refusedOnce(graph, daemon.lines);
  await until("five wait", async () => (await daemon.status()).inbox.pending === 5);
  expect(await answerTo(graph, bob)).toEqual({ status: 503, retryAfter: "15" });
  gate.resolve();
  await graph.waitForSends({ count: 12, timeoutMs: 10_000 });
  const answers = graph.records.sends.entries.map((send) => send.text ?? "");
  expect(answers.toSorted()).toEqual(texts.toSorted());
  agent.stop();
});

test("a chat that floods does not keep others waiting", async () => {
  const agent = await startAgent(async (turn) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { body: { text: turn.messages[0]?.text } };
  });
  await using setup = await startCloud({
    agent: { kind: "webhook", url: agent.url, max_concurrent_turns: 2 },
    channels: { read_receipts: false },
  });
  const { graph, daemon } = setup;
  graph.writeBatch(
    Array.from({ length: 500 }, (_, i) => ({ from: ada, content: text(`flood ${i}`) })),
  );
  await graph.waitForSends({ to: ada.phone, count: 3 });
  const asked = performance.now();
  graph.write({ from: bob, content: text("one question") });
  await graph.waitForSends({ to: bob.phone });
  expect(performance.now() - asked).toBeLessThan(3_000);
  expect((await daemon.status()).inbox.pending).toBeGreaterThan(300);
  expect(textsTo(graph, ada.phone)).toEqual(
    Array.from({ length: textsTo(graph, ada.phone).length }, (_, i) => `flood ${i}`),
  );
  agent.stop();
});
