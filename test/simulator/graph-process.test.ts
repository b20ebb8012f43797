import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnGraph, type RemoteGraph } from "../e2e/support/graph.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { startReceiver } from "./receiver.ts";

let graph: RemoteGraph;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeAll(async () => {
  receiver = await startReceiver();
  graph = await spawnGraph({ webhooks: { url: receiver.url }, statuses: { states: [] } });
});
afterAll(async () => {
  await graph.stop();
  receiver.stop();
});

const ada = { phone: "15550001111" };

test("as a process of its own it is steered over HTTP", async () => {
  expect((await graph.handshake()).verified).toBe(true);
  const ids = await graph.write(
    [1, 2, 3].map((n) => ({ from: ada, content: content.text(String(n)) })),
  );
  await graph.idle();
  expect(receiver.posts.entries).toHaveLength(3);
  expect(ids).toHaveLength(3);
  const fault = await graph.addFault({ effect: { kind: "error", code: 190 } });
  const send = () =>
    fetch(`${graph.url}/v26.0/${graph.account.phoneNumberId}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${graph.account.accessToken}` },
      body: JSON.stringify({
        messaging_product: "whatsapp",
        to: "+15550001111",
        text: { body: "x" },
      }),
    });
  expect((await send()).status).toBe(401);
  await graph.removeFault(fault);
  const waiting = graph.waitForSends({ to: "15550001111", count: 1 });
  expect((await send()).status).toBe(200);
  expect(await waiting).toMatchObject([{ outcome: "accepted", text: "x" }]);
  expect((await graph.records("sends")).map(({ outcome }) => outcome)).toEqual([
    "refused",
    "accepted",
  ]);
});

test("a wait that is over says what it saw, and bad input is refused with its place", async () => {
  await expect(graph.waitForSends({ to: "1999", count: 1, timeoutMs: 10 })).rejects.toThrow(
    /saw 0/,
  );
  await expect(graph.settings({ webhooks: { concurrency: 0 } })).rejects.toThrow(/concurrency/);
});

test.each<[method: string, noun: string, body: unknown, error: string]>([
  ["POST", "messages", { batch: [] }, "batch: Invalid length: Expected >=1 but received 0"],
  [
    "POST",
    "messages",
    { from: [], content: {} },
    "batch: missing; expected a list, found an object; from: expected an object, found a list; content.type: missing",
  ],
  [
    "POST",
    "faults",
    { effect: { kind: "http", status: 1.5 } },
    "effect.status: expected a whole number",
  ],
  ["POST", "faults", { effect: { kind: "drop" }, one: "send" }, "one: unknown key"],
  ["PATCH", "settings", [], "expected an object, found a list"],
  ["PATCH", "settings", { account: { scope: ["x"] } }, "account.scope: unknown key"],
])("%s %s %j is refused: %s", async (method, noun, body, error) => {
  const answer = await fetch(`${graph.url}/_sim/${noun}`, { method, body: JSON.stringify(body) });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ error });
});

test("two thousand webhooks asked for at once all go out", async () => {
  receiver.posts.clear();
  await graph.write(
    Array.from({ length: 2000 }, (_, n) => ({
      from: { phone: `1555${1_000_000 + n}` },
      content: content.text("x"),
    })),
  );
  await graph.idle();
  expect(receiver.posts.entries).toHaveLength(2000);
});
