import { describe, expect, test } from "bun:test";
import { content } from "../../src/simulator/graph/content.ts";
import { startAgent } from "./support/agent.ts";
import { account, cloudConfig, startCloud } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { postWebhook } from "./support/webhook.ts";

const ada = { phone: "+15550001111", name: "Ada" };
const { text } = content;

test("a message is answered, marked read while the turn runs, and counted", async () => {
  await using setup = await startCloud();
  const { graph, daemon } = setup;
  const id = graph.write({ from: ada, content: text("hello") });
  const [sent] = await graph.waitForSends({ to: ada.phone });
  expect(sent).toMatchObject({ text: "hello", input: "+15550001111", version: "v26.0" });
  await graph.records.reads.waitFor({ where: (read) => read.messageId === id && read.typing });
  await graph.idle();
  const status = await daemon.status();
  expect(status.channels).toMatchObject([
    { channel: "whatsapp", backend: "cloud", state: "ready" },
  ]);
  expect(status.inbox.pending + status.outbox.pending + status.outbox.failed).toBe(0);
  const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
  expect(metrics).toContain('revka_messages_in_total{channel="whatsapp",type="text"} 1');
  expect(metrics).toContain('revka_deliveries_total{channel="whatsapp",outcome="sent"} 1');
});

test("a group is answered in the group, a person without a number by BSUID", async () => {
  await using setup = await startCloud();
  const { graph } = setup;
  graph.write({ from: ada, content: text("to all"), groupId: "Y2FwaV9ncm91cA" });
  graph.write({ from: { userId: "US.13491208655302741918" }, content: text("no number") });
  await graph.waitForSends({ count: 2 });
  const sends = graph.records.sends.entries.map((send) => [send.recipientKind, send.recipient]);
  expect(sends.toSorted()).toEqual([
    ["group", "Y2FwaV9ncm91cA"],
    ["user_id", "US.13491208655302741918"],
  ]);
});

test("who is not on the list gets silence; the log says why, without text and number", async () => {
  await using setup = await startCloud({ whatsapp: { allowed_numbers: ["+15550009999"] } });
  const { graph, daemon } = setup;
  graph.write({ from: ada, content: text("a secret wish") });
  const line = await daemon.waitForLog("message refused");
  expect(line).toContain("not_allowed");
  await graph.idle();
  expect(graph.records.sends.entries).toEqual([]);
  expect(daemon.lines.join("\n")).not.toContain("secret wish");
  expect(daemon.lines.join("\n")).not.toContain("5550001111");
  expect((await daemon.status()).refusals).toEqual([
    { channel: "whatsapp", reason: "not_allowed", count: 1 },
  ]);
});

test("a long answer goes out in order, in pieces that Meta takes", async () => {
  const words = Array.from({ length: 3000 }, (_, index) => `word${index}`).join(" ");
  const agent = await startAgent(() => ({ body: { text: words } }));
  await using setup = await startCloud({ agent: { kind: "webhook", url: agent.url } });
  const { graph } = setup;
  graph.write({ from: ada, content: text("tell me everything") });
  await graph.waitForSends({ to: ada.phone, count: 7 });
  const pieces = graph.records.sends.entries.map((send) => send.text ?? "");
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(4096);
  expect(pieces.join(" ")).toBe(words);
  agent.stop();
});

describe("promises", () => {
  test("nothing is acknowledged before it is on disk: killed right after the 200, it is answered later", async () => {
    const agent = await startAgent(() => new Promise(() => {}));
    const graph = await startGraph();
    const config = cloudConfig(graph.url, { agent: { kind: "webhook", url: agent.url } });
    await using first = await startDaemon({ config });
    graph.settings.webhooks.url = `${first.url}/whatsapp`;
    graph.write({ from: ada, content: text("remember me") });
    await graph.idle();
    first.kill("SIGKILL");
    await first.exited;
    await using second = await startDaemon({
      config: cloudConfig(graph.url),
      home: first.home,
    });
    const [sent] = await graph.waitForSends({ to: ada.phone });
    expect(sent?.text).toBe("remember me");
    expect((await second.status()).inbox.pending).toBe(0);
    agent.stop();
    await graph.stop();
  });

  test("answered once: the same webhook again and again gives one turn", async () => {
    const agent = await startAgent(() => ({ body: { text: "once" } }));
    await using setup = await startCloud({ agent: { kind: "webhook", url: agent.url } });
    const { graph } = setup;
    for (let i = 0; i < 5; i++) {
      graph.write({ from: ada, content: text("again"), id: "wamid.same" });
    }
    await graph.idle();
    graph.write({ from: { phone: "+15550002222" }, content: text("other") });
    await graph.waitForSends({ to: "+15550002222" });
    expect(agent.turns.entries.length).toBe(2);
    expect(
      graph.records.sends.entries.filter((send) => send.recipient === "15550001111").length,
    ).toBe(1);
    agent.stop();
  });

  test("a failing agent: error text never reaches the customer", async () => {
    await using setup = await startCloud({
      agent: { kind: "command", command: ["/bin/sh", "-c", "echo 'stack trace'; exit 3"] },
      channels: { message_timeout_secs: 30, failure_reply: "Sorry." },
    });
    const { graph, daemon } = setup;
    graph.write({ from: ada, content: text("hello") });
    await daemon.waitForLog("agent failed");
    expect(graph.records.sends.entries).toEqual([]);
    expect((await daemon.stop()).code).toBe(0);
    expect(graph.records.sends.entries).toEqual([]);
  });
});

describe("bad input gets a clear answer and costs nothing", () => {
  const envelope = (messages: unknown) => ({
    object: "whatsapp_business_account",
    entry: [
      {
        id: "1",
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { phone_number_id: account.phoneNumberId },
              messages,
            },
          },
        ],
      },
    ],
  });
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const appSecret = account.appSecret ?? "";
  const signed = { appSecret };
  const cases: [
    string,
    unknown,
    { appSecret?: string; headers?: Record<string, string> },
    number,
  ][] = [
    ["no signature", "{}", {}, 401],
    ["a wrong signature", "{}", { appSecret: "another secret" }, 401],
    ["a signature that is no hex", "{}", { headers: { "x-hub-signature-256": "sha256=zz" } }, 401],
    ["no JSON", "{nothing", signed, 400],
    ["invalid UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), signed, 400],
    ["an empty body", "", signed, 400],
    ["5 MiB", `"${"x".repeat(5 * 1024 * 1024)}"`, signed, 413],
    ["wrong types all over", { object: 7, entry: { changes: "no" } }, signed, 200],
    ["a list instead of an object", [1, 2, 3], signed, 200],
    ["messages that are none", envelope([null, 7, "text", { id: 1 }, []]), signed, 200],
  ];

  test("each by its status, and the daemon goes on", async () => {
    await using setup = await startCloud();
    const { graph, daemon } = setup;
    const url = `${daemon.url}/whatsapp`;
    const answers: [string, number][] = [];
    for (const [name, body, options] of cases) {
      answers.push([name, (await postWebhook(url, body, options)).status]);
    }
    expect(answers).toEqual(cases.map(([name, , , status]) => [name, status]));
    expect((await postWebhook(url, deep, signed)).status).toBeLessThan(500);
    const good = {
      id: "wamid.good",
      from: "15550001111",
      timestamp: "1",
      type: "text",
      text: { body: "hi" },
    };
    await postWebhook(url, envelope([{ id: {} }, good, 9]), signed);
    const [sent] = await graph.waitForSends({ to: ada.phone });
    expect(sent?.text).toBe("hi");
    for (const path of ["/whatsapp", "/nowhere"]) {
      const huge = await postWebhook(`${daemon.url}${path}`, new Uint8Array(20 * 1024 * 1024));
      expect([path, huge.status, await huge.json()]).toEqual([
        path,
        path === "/whatsapp" ? 413 : 404,
        { error: expect.any(String) },
      ]);
    }
    for (const [method, path, status] of [
      ["GET", "/whatsapp", 403],
      ["HEAD", "/whatsapp", 403],
      ["PUT", "/whatsapp", 405],
      ["GET", "/nowhere", 404],
      ["POST", "/health", 405],
      ["HEAD", "/health", 200],
      ["GET", "/wati", 404],
      ["POST", "/wati", 404],
    ] as const) {
      const answer = await fetch(`${daemon.url}${path}`, { method });
      expect([method, path, answer.status]).toEqual([method, path, status]);
    }
    expect(graph.records.sends.entries.length).toBe(1);
  });
});

test("the handshake echoes the bare challenge", async () => {
  await using setup = await startCloud();
  const query = (token: string) =>
    `${setup.daemon.url}/whatsapp?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1234567890`;
  const right = await fetch(query(account.verifyToken));
  expect([right.status, await right.text()]).toEqual([200, "1234567890"]);
  expect((await fetch(query("wrong"))).status).toBe(403);
});
