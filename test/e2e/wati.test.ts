import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/store.ts";
import { startAgent } from "./support/agent.ts";
import { statusLine } from "./support/raw.ts";
import { spoken, missingTools, speechConfig, startTranscription } from "./support/speech.ts";
import { startWati, webhookSecret } from "./support/wati.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(20_000);

const ada = "15550001111";
const bob = "15550002222";

const event = (changes: Record<string, unknown> = {}) => ({
  id: "60b0",
  whatsappMessageId: "wamid.one",
  eventType: "message",
  type: "text",
  text: "hello",
  waId: ada,
  owner: false,
  timestamp: "1790000000",
  ...changes,
});

test("a message is answered, with the tenant in front of the recipient", async () => {
  await using setup = await startWati({ wati: { tenant_id: "my-tenant" } });
  const { wati, daemon } = setup;
  const { statuses } = await wati.sendText(ada, "hello");
  expect(statuses).toEqual([200]);
  const [sent] = await wati.waitForSends({ to: ada });
  expect(sent).toMatchObject({ target: `my-tenant:${ada}`, text: "hello" });
  expect(wati.requests.entries.map(({ path }) => path)).toEqual([
    "/api/ext/v3/conversations/messages/text",
  ]);
  expect((await daemon.status()).channels).toMatchObject([
    { channel: "wati", backend: "wati", state: "ready" },
  ]);
  const health = await fetch(`${daemon.url}/health`);
  expect(health.status).toBe(200);
  expect(await health.text()).not.toContain(ada);
});

describe("the webhook", () => {
  test("wants its secret, in one of three places; without it nothing is taken", async () => {
    await using setup = await startWati();
    const { wati, daemon } = setup;
    let n = 0;
    const post = async (query: string, headers: Record<string, string> = {}) => {
      const body = JSON.stringify(event({ id: `id${++n}`, whatsappMessageId: `wamid.${n}` }));
      return (await fetch(`${daemon.url}/wati${query}`, { method: "POST", headers, body })).status;
    };
    const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
    expect(await post("")).toBe(401);
    expect(await post("", { "x-revka-webhook-secret": "wrong" })).toBe(401);
    expect(await post("", bearer(`${webhookSecret}x`))).toBe(401);
    expect(await post("", { authorization: webhookSecret })).toBe(401);
    expect(await post("?secret=")).toBe(401);
    expect(await post("", { "x-revka-webhook-secret": webhookSecret })).toBe(200);
    expect(await post("", bearer(webhookSecret))).toBe(200);
    expect(await post(`?secret=${webhookSecret}`)).toBe(200);
    await wati.waitForSends({ to: ada, count: 3 });
    expect((await daemon.status()).inbox.pending).toBe(0);
    expect(wati.received).toHaveLength(3);
    expect(daemon.lines.join("\n")).not.toContain(webhookSecret);
  });

  test("takes a secret of any letters, in the bytes of a header or in the address", async () => {
    await using setup = await startWati({ wati: { webhook_secret: "ключ+b/=" } });
    const { daemon } = setup;
    const answer = (query: string, header: string) =>
      statusLine(
        daemon.url,
        `POST /wati${query} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nx-revka-webhook-secret: ${header}\r\n\r\n{}`,
      );
    expect(await answer("", "ключ+b/=")).toContain("200");
    expect(await answer("", "ключ b/=")).toContain("401");
    expect(await answer("?secret=ключ+b/=", "")).toContain("200");
    expect(await answer(`?secret=${encodeURIComponent("ключ+b/=")}`, "")).toContain("200");
    expect(await answer("?secret=ключ%20b/=", "")).toContain("401");
  });

  test("answers what is no message by its status, and no trap starts a turn", async () => {
    const agent = await startAgent();
    await using setup = await startWati({ agent: { kind: "webhook", url: agent.url } });
    const { wati, daemon } = setup;
    const traps: [string, unknown][] = [
      ["the account's own message", event({ owner: true })],
      ["what the chatbot repeats", event({ eventType: "chatbotTriggered" })],
      ["a template that was sent", event({ eventType: "templateMessageSent_v2", owner: null })],
      ["a template as a message", event({ type: "template" })],
      ["what was sent, delivered", event({ eventType: "sentMessageDELIVERED_v2" })],
      ["what was sent in a session", event({ eventType: "sessionMessageSent", owner: true })],
      ["an event of tomorrow", event({ eventType: "somethingNew" })],
      ["a reaction", event({ type: "reaction", text: "👍", replyContextId: "wamid.x" })],
      ["nobody", event({ waId: null })],
      ["nothing", event({ text: "" })],
      ["no object", 7],
      ["a list of nothing", [null, "x"]],
    ];
    const answers: [string, number | null][] = [];
    for (const [name, trap] of traps) answers.push([name, await wati.post(trap)]);
    expect(answers).toEqual(traps.map(([name]) => [name, 200]));
    await wati.sendText(ada, "the only one");
    await agent.turns.waitFor();
    expect(agent.turns.entries.map(({ messages }) => messages[0]?.text)).toEqual(["the only one"]);
    const headers = { "x-revka-webhook-secret": webhookSecret };
    const url = `${daemon.url}/wati`;
    const statusOf = async (init: RequestInit) => (await fetch(url, init)).status;
    expect(await statusOf({ method: "POST", headers, body: "{nothing" })).toBe(400);
    expect(await statusOf({ method: "PUT", headers, body: "{}" })).toBe(405);
    expect(await statusOf({ method: "POST", headers, body: " ".repeat(5 * 1024 * 1024) })).toBe(
      413,
    );
    const challenge = await fetch(`${url}?hub.challenge=4711`);
    expect([challenge.status, await challenge.text()]).toEqual([200, "4711"]);
    agent.stop();
  });

  test("twins are one message, and so are repetitions", async () => {
    const agent = await startAgent(() => ({ body: { text: "once" } }));
    await using setup = await startWati(
      { agent: { kind: "webhook", url: agent.url } },
      { wati: { variants: ["message", "message_v2", "message_bsuid", "messageReceived"] } },
    );
    const { wati } = setup;
    const bsuid = "US.13491208655302741918";
    const { statuses } = await wati.sendText(ada, "hello", { bsuid });
    expect(statuses).toEqual([200, 200, 200, 200]);
    // The same person by the BSUID alone is the same chat.
    wati.variants = ["message_bsuid", "message_bsuid"];
    await wati.write({ from: null, bsuid, text: "it is me again" });
    const sends = await wati.waitForSends({ to: ada, count: 2 });
    expect(sends).toHaveLength(2);
    expect(agent.turns.entries.map(({ chat, messages }) => [chat.id, messages[0]?.text])).toEqual([
      [`+${ada}`, "hello"],
      [`+${ada}`, "it is me again"],
    ]);
    agent.stop();
  });
});

test("who is not on the list costs nothing: no download, no transcription, no turn", async () => {
  const transcription = await startTranscription("a secret wish");
  const agent = await startAgent(() => ({ body: { text: "ok" } }));
  await using setup = await startWati({
    agent: { kind: "webhook", url: agent.url },
    wati: { allowed_numbers: [`+${bob}`] },
    root: speechConfig({ transcription }),
  });
  const { wati, daemon } = setup;
  const bytes = missingTools === null ? spoken("hello", "opus") : Buffer.from("OggS");
  const voice = { type: "voice", bytes, mimeType: "audio/ogg", extension: "opus" } as const;
  expect((await wati.sendMedia(ada, voice)).statuses).toEqual([200]);
  await daemon.waitForLog("not_allowed");
  await wati.sendText(bob, "hello");
  await wati.waitForSends({ to: bob });
  expect(wati.requests.entries.map(({ path }) => path)).toEqual([
    "/api/ext/v3/conversations/messages/text",
  ]);
  expect(transcription.seen).toEqual([]);
  expect(agent.turns.entries).toHaveLength(1);
  expect(daemon.lines.join("\n")).not.toContain(ada);
  await transcription.close();
  agent.stop();
});

// Each waits for a time that the platform or the outbox sets: side by side they wait once.
describe.concurrent("sending", () => {
  for (const status of [401, 403]) {
    test(`${status} holds everything, says so, and goes on by itself once the token works`, async () => {
      await using setup = await startWati();
      const { wati, daemon } = setup;
      wati.faults.add({ on: "any", effect: { kind: "http", status } });
      await wati.sendText(ada, "one");
      await wati.sendText(bob, "two");
      await daemon.waitForLog(/WATI (refuses|forbids)/);
      await until("both are held", async () => (await daemon.status()).outbox.pending === 2);
      const held = await daemon.status();
      expect(held.channels[0]?.state).not.toBe("ready");
      expect(held.channels[0]?.reason).toContain("token");
      expect(held.outbox.failed).toBe(0);
      expect(held.alarms).toMatchObject([{ source: "wati.wati" }]);
      expect((await fetch(`${daemon.url}/health`)).status).toBe(503);
      expect(wati.received).toEqual([]);
      wati.faults.clear();
      const sends = await wati.waitForSends({ count: 2, timeoutMs: 15_000 });
      expect(sends.map(({ text }) => text).toSorted()).toEqual(["one", "two"]);
      const healthy = await daemon.status();
      expect(healthy.channels[0]).toMatchObject({ state: "ready", reason: null });
      expect(healthy.alarms).toEqual([]);
    });
  }

  test("429 waits as long as Retry-After says", async () => {
    await using setup = await startWati();
    const { wati } = setup;
    const effect = { kind: "http", status: 429, retryAfterSecs: 3 } as const;
    wati.faults.add({ effect, times: 1 });
    await wati.sendText(ada, "slowly");
    await wati.requests.waitFor();
    const asked = Date.now();
    await wati.waitForSends({ to: ada, timeoutMs: 15_000 });
    expect(Date.now() - asked).toBeGreaterThan(2700);
    expect(wati.requests.entries).toHaveLength(2);
  });

  const refusedLater = (sent: { id: string; wamid: string } | undefined) => ({
    eventType: "sessionMessageFailed_v2",
    id: sent?.id,
    whatsappMessageId: sent?.wamid,
    failedCode: "131047",
    failedDetail: "Message failed to send because more than 24 hours have passed",
  });

  test("what WATI took and could not deliver fails afterwards, with its reason", async () => {
    await using setup = await startWati();
    const { wati, daemon } = setup;
    await wati.sendText(ada, "hello");
    const [sent] = await wati.waitForSends({ to: ada });
    await daemon.waitForLog("delivery sent");
    await wati.post(refusedLater(sent));
    await daemon.waitForLog("delivery failed");
    const { outbox, failed_deliveries } = await daemon.status();
    expect(outbox).toMatchObject({ pending: 0, failed: 1 });
    expect(failed_deliveries[0]?.hint).toContain("24 hours");
  });

  test("a failure that is told before the answer to the send counts, and as one", async () => {
    await using setup = await startWati();
    const { wati, daemon } = setup;
    wati.beforeAnswer = (taken) => wati.post(refusedLater(taken));
    await wati.sendText(ada, "hello");
    await daemon.waitForLog("delivery failed");
    const { outbox, channels } = await daemon.status();
    expect(outbox).toMatchObject({ pending: 0, failed: 1 });
    expect(channels[0]?.last_error?.hint).toContain("24 hours");
    const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
    expect(metrics.match(/^revka_deliveries_total.*$/gm)).toEqual([
      'revka_deliveries_total{channel="wati",outcome="failed"} 1',
    ]);
    expect(wati.sends.entries).toHaveLength(1);
  });

  test("409 fails that delivery alone, with what to do about it; 500 is tried again", async () => {
    await using setup = await startWati();
    const { wati, daemon } = setup;
    wati.faults.add({ effect: { kind: "http", status: 409, body: { code: "X" } }, times: 1 });
    await wati.sendText(ada, "several conversations");
    await daemon.waitForLog("delivery failed");
    const status = await daemon.status();
    expect(status.outbox).toMatchObject({ pending: 0, failed: 1 });
    expect(status.channels[0]?.state).toBe("ready");
    expect(status.failed_deliveries).toMatchObject([{ channel: "wati", code: "409" }]);
    expect(status.failed_deliveries[0]?.hint).toContain("tenant_id");
    wati.faults.add({ effect: { kind: "http", status: 500 }, times: 1 });
    await wati.sendText(ada, "after an error");
    const [sent] = await wati.waitForSends({ to: ada, timeoutMs: 15_000 });
    expect(sent?.text).toBe("after an error");
    await daemon.waitForLog("had not arrived: sending it again");
  });

  test("an answer that is lost: WATI is asked, and the message goes out once", async () => {
    await using setup = await startWati();
    const { wati, daemon } = setup;
    wati.faults.add({ effect: { kind: "lose-answer" }, times: 1 });
    await wati.sendText(ada, "one");
    await daemon.waitForLog("had arrived: it is not repeated");
    await wati.sendText(ada, "two");
    await wati.waitForSends({ to: ada, count: 2 });
    expect(wati.received.map((send) => send.text)).toEqual(["one", "two"]);
    expect((await daemon.status()).outbox.failed).toBe(0);
  });

  test("a token that may not read: a lost answer is repeated, and the log says so", async () => {
    await using setup = await startWati();
    const { wati, daemon } = setup;
    wati.faults.add({ effect: { kind: "http", status: 403 }, on: "history" });
    wati.faults.add({ effect: { kind: "lose-answer" }, times: 1 });
    await wati.sendText(ada, "one");
    await daemon.waitForLog("may arrive twice");
    await wati.waitForSends({ to: ada, count: 2 });
    expect((await daemon.status()).channels[0]?.state).toBe("ready");
  });
});

test("revka demo --channel wati --once prints the reply and nothing else", async () => {
  const binary = process.env["REVKA_BINARY"];
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const folder = temporaryFolder();
  const demo = Bun.spawn({
    cmd: [
      ...(binary ? [binary] : [process.execPath, main]),
      "demo",
      "--channel",
      "wati",
      "--once",
      "hello",
    ],
    env: { PATH: process.env["PATH"], HOME: folder.path, TMPDIR: folder.path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(demo.stdout).text(),
    new Response(demo.stderr).text(),
  ]);
  expect({ code: await demo.exited, out, err }).toEqual({ code: 0, out: "hello\n", err: "" });
  folder.remove();
});
