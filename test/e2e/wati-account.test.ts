import { expect, setDefaultTimeout, test } from "bun:test";
import { content } from "../../src/simulator/graph/content.ts";
import { createWatiSimulator } from "../../src/simulator/wati.ts";
import { temporaryFolder } from "../support/store.ts";
import { startAgent } from "./support/agent.ts";
import { startCloud } from "./support/cloud.ts";
import { command } from "./support/command.ts";
import { startDaemon } from "./support/daemon.ts";
import { watiConfig, webhookSecret } from "./support/wati.ts";
import { postWebhook } from "./support/webhook.ts";

setDefaultTimeout(30_000);

const ada = "15550001111";
const bob = "15550002222";

/** One WATI and one home, for daemons of one config after the other. */
async function trial() {
  const wati = createWatiSimulator();
  const { close } = await wati.start();
  const agent = await startAgent(({ messages }) => ({
    body: { text: `you said ${messages[0]?.text}` },
  }));
  const home = temporaryFolder();
  return {
    wati,
    agent,
    run: (...words: string[]) => command(words, { REVKA_HOME: home.path }),
    async start(settings: object, server = wati) {
      const changes = { agent: { kind: "webhook", url: agent.url }, wati: { ...settings } };
      const config = watiConfig(server, changes);
      const daemon = await startDaemon({ config, home: home.path });
      server.webhook.url = `${daemon.url}/wati`;
      server.webhook.headers = { "x-revka-webhook-secret": webhookSecret };
      return daemon;
    },
    async [Symbol.asyncDispose]() {
      agent.stop();
      await close();
      home.remove();
    },
  };
}

test("tenant_id set, as a 409 advises, and a tenant named in api_url: all that was known goes on", async () => {
  await using setup = await trial();
  const { wati, agent, run } = setup;
  await using first = await setup.start({});
  await wati.sendText(bob, "before");
  await wati.waitForSends({ to: bob });
  expect((await run("pause", bob)).code).toBe(0);
  await wati.sendText(bob, "while paused");
  wati.faults.add({ effect: { kind: "http", status: 409, body: { code: "X" } }, times: 1 });
  const once = { id: "one", wamid: "wamid.one" };
  await wati.sendText(ada, "hello", once);
  await first.waitForLog("delivery failed");
  const [failed] = (await first.status()).failed_deliveries;
  expect(failed?.hint).toContain("tenant_id");
  await first.stop();

  await using second = await setup.start({ tenant_id: "17435002445" });
  expect(await run("redeliver", failed?.id ?? "")).toMatchObject({ code: 0, err: "" });
  const [sent] = await wati.waitForSends({ to: ada });
  expect(sent).toMatchObject({ target: `17435002445:${ada}`, text: "you said hello" });
  await wati.sendText(ada, "hello", once);
  await wati.sendText(bob, "still paused");
  expect((await second.status()).inbox.pending).toBe(2);
  expect((await second.status()).alarms).toEqual([]);
  await second.stop();

  const named = { tenant_id: "17435002445", api_url: `${wati.url}/${wati.tenant}` };
  await using third = await setup.start(named);
  expect((await run("resume", bob)).code).toBe(0);
  await agent.turns.waitFor({ count: 4 });
  const texts = agent.turns.entries.map(({ messages }) => messages[0]?.text);
  expect(texts).toEqual(["before", "hello", "while paused", "still paused"]);
  expect(agent.turns.entries.at(-1)?.history[0]).toEqual({ role: "user", text: "before" });
  expect((await third.status()).alarms).toEqual([]);
});

test("another host is another account, which knows nothing of the first", async () => {
  await using setup = await trial();
  const { wati, run } = setup;
  await using first = await setup.start({});
  await wati.sendText(ada, "hello", { id: "one", wamid: "wamid.one" });
  await wati.waitForSends({ to: ada });
  expect((await run("pause", ada)).code).toBe(0);
  await wati.sendText(ada, "to the first");
  await first.stop();

  const other = createWatiSimulator();
  const { close } = await other.start();
  await using second = await setup.start({ tenant_id: "17435002445" }, other);
  await other.sendText(ada, "hello", { id: "one", wamid: "wamid.one" });
  const [sent] = await other.waitForSends({ to: ada });
  expect(sent?.text).toBe("you said hello");
  const { inbox, alarms } = await second.status();
  expect([inbox.pending, alarms.map(({ code }) => code)]).toEqual([1, ["account_gone"]]);
  await close();
});

test("whoever posts to an unsecured webhook of WATI's fails no reply of the Cloud API's", async () => {
  await using account = await trial();
  await using setup = await startCloud(
    { channels: { wati: { api_token: account.wati.token, api_url: account.wati.url } } },
    // What has arrived has not failed, whoever says so.
    { graph: { statuses: { states: ["sent"] } } },
  );
  const { graph, daemon } = setup;
  graph.write({ from: { phone: ada }, content: content.text("hello") });
  const [sent] = await graph.waitForSends({ count: 1 });
  await graph.idle();
  const failed = { eventType: "sessionMessageFailed", id: sent?.wamid, failedCode: "131026" };
  expect((await postWebhook(`${daemon.url}/wati`, failed)).status).toBe(200);
  const { failed_deliveries, outbox } = await daemon.status();
  expect([failed_deliveries, outbox.failed]).toEqual([[], 0]);
});
