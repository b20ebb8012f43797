import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { smallDisk, type SmallDisk } from "../../scripts/torture/disk.ts";
import { envelope, inboundMessage } from "../../src/simulator/graph/bodies.ts";
import { controlClient } from "../../src/control/client.ts";
import { content } from "../../src/simulator/graph/content.ts";
import type { GraphSimulator } from "../../src/simulator/graph.ts";
import { startAgent } from "./support/agent.ts";
import { cloudConfig, startCloud } from "./support/cloud.ts";
import { DaemonDidNotStart, startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { postWebhook } from "./support/webhook.ts";

const ada = { phone: "15550001111" };
const bob = { phone: "15550002222" };
const { text } = content;

/** Meta comes again soon, so that a test need not wait for it. */
const impatient = { retry: { initialMs: 50, factor: 1, maxMs: 50, giveUpAfterMs: 60_000 } };

/** Texts that a customer got, in order. */
const got = (graph: GraphSimulator, phone: string) =>
  graph.records.sentTo(phone).map((send) => send.text);

const health = async (url: string) => {
  const answer = await fetch(`${url}/health`);
  return { status: answer.status, body: await answer.text() };
};

/** Waits until `holds`, or fails. */
async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000) {
  for (const end = Date.now() + timeoutMs; !(await holds());) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What Meta would see for one more message. */
async function answerTo(graph: GraphSimulator, from: { phone: string }) {
  const { businessAccountId, phoneNumberId, displayPhoneNumber, appSecret } = graph.account;
  const business = { businessAccountId, phoneNumberId: phoneNumberId ?? "", displayPhoneNumber };
  const { message } = inboundMessage({ from, content: text("one more") }, business, Date.now());
  const answer = await postWebhook(
    graph.settings.webhooks.url ?? "",
    envelope(business, { messages: [message] }),
    { appSecret },
  );
  return { status: answer.status, retryAfter: answer.headers.get("retry-after") };
}

/** A webhook that was answered 503 at least once. */
async function refusedOnce(graph: GraphSimulator, lines: string[]) {
  await until("a webhook is refused", () =>
    lines.some((line) => line.includes("webhook request refused")),
  );
  expect(graph.pending).toBeGreaterThan(0);
}

describe("a store that cannot be written", () => {
  const root = process.platform === "linux" && process.getuid?.() === 0;
  const folder = mkdtempSync(join(tmpdir(), "revka-disk-"));
  let disk: SmallDisk | null = null;
  beforeEach(() => {
    // A container may forbid mounts to its root, too.
    disk = root ? smallDisk(join(folder, "disk"), 16) : null;
  });
  afterEach(() => disk?.remove());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.skipIf(!root)(
    "full: 503 with Retry-After, nothing lost, and it goes on when there is room",
    async () => {
      if (!disk) return;
      await using setup = await startCloud(
        { root: { store: { path: join(disk.path, "revka.db") } } },
        { graph: { webhooks: impatient } },
      );
      const { graph, daemon } = setup;
      graph.write({ from: ada, content: text("before") });
      await graph.waitForSends({ count: 1 });
      await graph.idle();
      disk.fill();
      // What the WAL has room for is still taken: write until it is used up.
      let written = 0;
      while (
        !daemon.lines.some((line) => line.includes("webhook request refused")) &&
        written < 400
      ) {
        graph.write({ from: ada, content: text(`during ${written++}`) });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await refusedOnce(graph, daemon.lines);
      expect(await answerTo(graph, bob)).toEqual({ status: 503, retryAfter: "30" });
      const { status, body } = await health(daemon.url);
      expect([status, body]).toEqual([
        503,
        expect.stringContaining("the disk is full: free some space"),
      ]);
      expect((await daemon.status()).alarms).toMatchObject([{ source: "store", code: "full" }]);
      disk.free();
      await graph.idle(20_000);
      await until("all is answered", () => got(graph, ada.phone).length === written + 1, 45_000);
      expect(new Set(got(graph, ada.phone)).size).toBe(written + 1);
      expect((await health(daemon.url)).status).toBe(200);
      expect((await daemon.status()).alarms).toEqual([]);
    },
    90_000,
  );

  test.skipIf(!root)(
    "not writable at the start: the daemon says which store, and ends",
    async () => {
      if (!disk) return;
      const graph = await startGraph();
      const config = cloudConfig(graph.url, {
        root: { store: { path: join(disk.path, "read-only", "revka.db") } },
      });
      await (await startDaemon({ config }))[Symbol.asyncDispose]();
      expect(disk.readOnly(true)).toBe(true);
      const refusal = await startDaemon({ config }).catch((error: unknown) => error);
      disk.readOnly(false);
      expect(refusal).toBeInstanceOf(DaemonDidNotStart);
      if (!(refusal instanceof DaemonDidNotStart)) return;
      expect(refusal.exit?.code).toBe(1);
      expect(refusal.message).toContain(
        `the store ${join(disk.path, "read-only", "revka.db")}: it cannot be written`,
      );
      await graph.stop();
    },
  );

  const writeProtects = spawnSync("chattr", ["-V"], { stdio: "ignore" }).error === undefined;

  test.skipIf(!writeProtects || !root)(
    "not writable: 503, and it goes on when it is writable again",
    async () => {
      await using setup = await startCloud({}, { graph: { webhooks: impatient } });
      const { graph, daemon } = setup;
      graph.write({ from: ada, content: text("before") });
      await graph.waitForSends({ count: 1 });
      await graph.idle();
      const files = ["revka.db", "revka.db-wal"].map((name) => join(daemon.home, name));
      const protect = (sign: string) => spawnSync("chattr", [`${sign}i`, ...files]).status === 0;
      if (!protect("+")) return;
      try {
        graph.write({ from: ada, content: text("during") });
        await refusedOnce(graph, daemon.lines);
        expect((await health(daemon.url)).body).toContain("The store cannot be written");
      } finally {
        protect("-");
      }
      await graph.waitForSends({ count: 2 });
      expect(got(graph, ada.phone)).toEqual(["before", "during"]);
      expect((await health(daemon.url)).status).toBe(200);
    },
  );
});

test("a damaged store is moved aside, named in log and status, and the daemon comes up", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-test-"));
  writeFileSync(join(home, "revka.db"), "this was a database once ".repeat(1000));
  await using setup = await startCloud({}, { daemon: { home } });
  const { graph, daemon } = setup;
  const moved = readdirSync(home).find((name) => name.startsWith("revka.db.damaged-")) ?? "none";
  expect(moved).toMatch(/^revka\.db\.damaged-\d{4}-/);
  expect(await daemon.waitForLog("store was damaged")).toContain(moved);
  expect((await daemon.status()).alarms).toMatchObject([
    { source: "store.damaged", code: "damaged", hint: expect.stringContaining(moved) },
  ]);
  graph.write({ from: ada, content: text("hello") });
  await graph.waitForSends({ to: ada.phone });
  rmSync(home, { recursive: true, force: true });
});

test("a second daemon on the same home is refused with a reason, the first goes on unharmed", async () => {
  await using setup = await startCloud();
  const { graph, daemon } = setup;
  const second = startDaemon({ config: cloudConfig(graph.url), home: daemon.home });
  const refusal = await second.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DaemonDidNotStart);
  if (!(refusal instanceof DaemonDidNotStart)) return;
  expect(refusal.exit?.code).toBe(1);
  expect(refusal.message).toContain("another Revka runs on the store");
  graph.write({ from: ada, content: text("still there?") });
  await graph.waitForSends({ to: ada.phone });
  expect((await daemon.status()).daemon.pid).toBe(daemon.pid);
});

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
  expect(got(graph, ada.phone)).toEqual(
    Array.from({ length: got(graph, ada.phone).length }, (_, i) => `flood ${i}`),
  );
  agent.stop();
});

describe("what the platform says", () => {
  test.concurrent(
    "190: sending is held with an alarm, and goes on by itself once the token works",
    async () => {
      await using setup = await startCloud();
      const { graph, daemon } = setup;
      const { accessToken } = graph.account;
      graph.account.accessToken = "EAAanother";
      for (const from of [ada, bob]) graph.write({ from, content: text(`from ${from.phone}`) });
      await daemon.waitForLog("alarm: The access token is invalid");
      const status = await daemon.status();
      expect(status.alarms).toMatchObject([{ source: "whatsapp.cloud", code: "190" }]);
      expect(status.channels).toMatchObject([
        { state: "disconnected", last_error: { code: "190" } },
      ]);
      const { status: code, body } = await health(daemon.url);
      expect([code, body]).toEqual([503, expect.stringContaining("access token")]);
      expect(graph.records.sends.entries).toEqual([]);
      const asked = await controlClient(join(daemon.home, "revka.sock")).send({
        to: "+15550009999",
        text: "when you can",
      });
      expect(asked.deliveries).toMatchObject([{ state: "pending", code: "190" }]);
      graph.account.accessToken = accessToken;
      await graph.waitForSends({ count: 3, timeoutMs: 10_000 });
      expect((await health(daemon.url)).status).toBe(200);
      expect((await daemon.status()).alarms).toEqual([]);
    },
    20_000,
  );

  test.concurrent(
    "each recipient's trouble is theirs: 131047 fails, 131056 and Retry-After wait, a lost answer is not doubled",
    async () => {
      await using setup = await startCloud({ whatsapp: { status_grace_secs: 1 } });
      const { graph, daemon } = setup;
      const phone = (digit: number) => `1555000300${digit}`;
      const [closed, paced, limited, lost, fine] = [1, 2, 3, 4, 5].map(phone);
      const error = (recipient: string | undefined, code: number, retryAfterSecs?: number) =>
        graph.faults.add({
          effect: { kind: "error", code, ...(retryAfterSecs ? { retryAfterSecs } : {}) },
          times: 1,
          ...(recipient ? { recipient } : {}),
        });
      error(closed, 131047);
      error(paced, 131056);
      error(limited, 130429, 4);
      graph.faults.add({
        effect: { kind: "lose-answer" },
        times: 1,
        ...(lost ? { recipient: lost } : {}),
      });
      const began = Date.now();
      for (const each of [closed, paced, limited, lost, fine]) {
        for (const words of ["one", "two"]) {
          graph.write({ from: { phone: each ?? null }, content: text(words) });
        }
      }
      await graph.waitForSends({ ...(fine ? { to: fine } : {}), count: 2 });
      expect(Date.now() - began).toBeLessThan(3_000);
      const after = async (recipient: string | undefined, count: number) => {
        const sends = await graph.waitForSends({ to: recipient ?? "", count, timeoutMs: 10_000 });
        return { ms: (sends[0]?.at ?? 0) - began, texts: sends.map((send) => send.text) };
      };
      expect((await after(closed, 1)).texts).toEqual(["two"]);
      const waited = await after(paced, 2);
      expect(waited.texts).toEqual(["one", "two"]);
      expect(waited.ms).toBeGreaterThan(3_000);
      const told = await after(limited, 2);
      expect(told.texts).toEqual(["one", "two"]);
      expect(told.ms).toBeGreaterThanOrEqual(4_000);
      expect((await after(lost, 2)).texts).toEqual(["one", "two"]);
      await graph.idle();
      expect(got(graph, lost ?? "")).toEqual(["one", "two"]);
      expect((await daemon.status()).failed_deliveries).toMatchObject([
        { code: "131047", hint: expect.stringContaining("24 hours") },
      ]);
    },
    20_000,
  );
});

test.concurrent(
  "SIGTERM during turns: 503 for what comes, exit 0 in time, and the next start answers",
  async () => {
    const agent = await startAgent(() => new Promise(() => {}));
    const graph = await startGraph({ webhooks: impatient });
    const home = mkdtempSync(join(tmpdir(), "revka-test-"));
    const first = await startDaemon({
      config: cloudConfig(graph.url, { agent: { kind: "webhook", url: agent.url } }),
      home,
    });
    graph.settings.webhooks.url = `${first.url}/whatsapp`;
    graph.write({ from: ada, content: text("before the stop") });
    await agent.turns.waitFor();
    const began = performance.now();
    const ending = first.stop();
    await first.waitForLog('"stopping"');
    graph.write({ from: bob, content: text("during the stop") });
    await refusedOnce(graph, first.lines);
    expect(await ending).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(10_000);
    await using second = await startDaemon({ config: cloudConfig(graph.url), home });
    graph.settings.webhooks.url = `${second.url}/whatsapp`;
    await graph.waitForSends({ count: 2 });
    expect([...got(graph, ada.phone), ...got(graph, bob.phone)]).toEqual([
      "before the stop",
      "during the stop",
    ]);
    agent.stop();
    await graph.stop();
    rmSync(home, { recursive: true, force: true });
  },
  30_000,
);
