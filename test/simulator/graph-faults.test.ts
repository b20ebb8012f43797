import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { startGraphSimulator, type GraphSimulator } from "../../src/simulator/graph.ts";
import { FaultPlan } from "../../src/simulator/graph/faults.ts";
import { seededRandom } from "../../src/simulator/graph/random.ts";
import { startReceiver } from "./receiver.ts";

let graph: GraphSimulator;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeAll(async () => {
  receiver = await startReceiver();
  graph = await startGraphSimulator({
    webhooks: { url: receiver.url },
    statuses: { states: ["sent"], delayMs: 0 },
  });
});
beforeEach(async () => {
  await graph.idle();
  graph.records.clear();
  graph.faults.clear();
  receiver.posts.clear();
});
afterAll(async () => {
  await graph.stop();
  receiver.stop();
});

function send(to = "15550001111", signal?: AbortSignal): Promise<Response> {
  return fetch(`${graph.url}/v26.0/${graph.account.phoneNumberId}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${graph.account.accessToken}` },
    body: JSON.stringify({ messaging_product: "whatsapp", to, text: { body: "x" } }),
    ...(signal ? { signal } : {}),
  });
}

test("an error for the next two, then all is well", async () => {
  graph.faults.add({ effect: { kind: "error", code: 131000 }, times: 2 });
  const statuses = [await send(), await send(), await send()].map(({ status }) => status);
  expect(statuses).toEqual([500, 500, 200]);
  expect(graph.records.sends.entries.map(({ outcome, code }) => [outcome, code])).toEqual([
    ["refused", 131000],
    ["refused", 131000],
    ["accepted", null],
  ]);
});

test("a fault of one recipient leaves others alone, and can be taken back", async () => {
  const id = graph.faults.add({
    effect: { kind: "error", code: 131056, retryAfterSecs: 4 },
    recipient: "+15550001111",
  });
  const refused = await send();
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("4");
  expect((await send("15550002222")).status).toBe(200);
  expect(graph.faults.remove(id)).toBe(true);
  expect((await send()).status).toBe(200);
});

test("a bare 502 has no JSON", async () => {
  graph.faults.add({ effect: { kind: "http", status: 502 }, times: 1 });
  const answer = await send();
  expect(answer.status).toBe(502);
  expect(answer.headers.get("content-type")).toBe("text/html");
});

test("a dropped connection accepts nothing; a lost answer accepts and reports", async () => {
  graph.faults.add({ effect: { kind: "drop" }, times: 1 });
  await expect(send()).rejects.toThrow();
  await graph.records.sends.waitFor();
  graph.faults.add({ effect: { kind: "lose-answer" }, times: 1 });
  await expect(send()).rejects.toThrow();
  await graph.records.sends.waitFor({ count: 2 });
  expect(graph.records.sends.entries.map(({ outcome }) => outcome)).toEqual(["dropped", "lost"]);
  expect(graph.records.sentTo("15550001111")).toHaveLength(1);
  const [post] = await receiver.posts.waitFor();
  expect(post?.body.toString()).toContain(graph.records.sends.entries[1]?.wamid ?? "none");
});

test("a hanging request stays open until its client gives up", async () => {
  graph.faults.add({ effect: { kind: "hang" }, times: 1 });
  const controller = new AbortController();
  const hanging = send("15550001111", controller.signal);
  await graph.records.sends.waitFor({ where: ({ outcome }) => outcome === "hung" });
  expect((await send()).status).toBe(200);
  controller.abort();
  await expect(hanging).rejects.toThrow();
});

test("accepted, then failed by webhook", async () => {
  graph.faults.add({ effect: { kind: "fail-later", code: 131026 }, times: 1 });
  expect((await send()).status).toBe(200);
  const [post] = await receiver.posts.waitFor();
  expect(JSON.parse(post?.body.toString() ?? "")).toMatchObject({
    entry: [
      { changes: [{ value: { statuses: [{ status: "failed", errors: [{ code: 131026 }] }] } }] },
    ],
  });
});

test("outside the 24-hour window a message fails with 131047, inside it does not", async () => {
  graph.settings.enforceWindow = true;
  await send("15550009999");
  const [post] = await receiver.posts.waitFor();
  expect(post?.body.toString()).toContain("131047");
  graph.write({ from: { phone: "15550009999" }, content: { type: "text", text: { body: "x" } } });
  await graph.idle();
  receiver.posts.clear();
  await send("15550009999");
  const [sent] = await receiver.posts.waitFor();
  expect(sent?.body.toString()).toContain('"status":"sent"');
  graph.settings.enforceWindow = false;
});

test("the plan: skip, times, probability, delays before one effect", () => {
  const plan = new FaultPlan(seededRandom(3));
  plan.add({ effect: { kind: "delay", ms: 5 } });
  plan.add({ effect: { kind: "drop" }, skip: 1, times: 1 });
  plan.add({ effect: { kind: "hang" }, on: "any" });
  expect(plan.strike("send", null)).toEqual([{ kind: "delay", ms: 5 }, { kind: "hang" }]);
  expect(plan.strike("send", null)).toEqual([{ kind: "delay", ms: 5 }, { kind: "drop" }]);
  expect(plan.strike("read", null)).toEqual([{ kind: "hang" }]);
  plan.clear();
  plan.add({ effect: { kind: "drop" }, probability: 0.3 });
  const struck = Array.from({ length: 1000 }, () => plan.strike("send", null).length);
  const share = struck.reduce((sum, one) => sum + one, 0) / 1000;
  expect(share).toBeGreaterThan(0.25);
  expect(share).toBeLessThan(0.35);
});
