import { afterEach, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { startGraphSimulator, type GraphSimulator } from "../../src/simulator/graph.ts";
import { content } from "../../src/simulator/graph/content.ts";
import type { GraphOptions } from "../../src/simulator/graph/options.ts";
import { signature } from "../../src/simulator/graph/webhooks.ts";
import { fakeClock } from "../support/clock.ts";
import { startReceiver, type ReceivedPost } from "./receiver.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(
  options: GraphOptions = {},
  answers: number[] = [],
): Promise<{ graph: GraphSimulator; receiver: Awaited<ReturnType<typeof startReceiver>> }> {
  const receiver = await startReceiver(answers);
  const graph = await startGraphSimulator({
    ...options,
    webhooks: {
      url: receiver.url,
      retry: { initialMs: 1, factor: 1, maxMs: 1, giveUpAfterMs: 1000 },
      ...options.webhooks,
    },
  });
  stops.push(() => graph.stop(), receiver.stop);
  return { graph, receiver };
}

const ada = { phone: "+15550001111", name: "Ada" };

interface Value {
  contacts?: Record<string, unknown>[];
  messages?: Record<string, unknown>[];
  statuses?: Record<string, unknown>[];
}
function valueOf(post: ReceivedPost | undefined): Value {
  const body = JSON.parse(post?.body.toString("utf8") ?? "{}") as {
    entry: { changes: { value: Value }[] }[];
  };
  return body.entry[0]?.changes[0]?.value ?? {};
}

function sendText(graph: GraphSimulator): Promise<Response> {
  return fetch(`${graph.url}/v26.0/${graph.account.phoneNumberId}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${graph.account.accessToken}` },
    body: JSON.stringify({
      messaging_product: "whatsapp",
      to: "+15550001111",
      text: { body: "x" },
      biz_opaque_callback_data: "delivery-1",
    }),
  });
}

test("Meta's own signature vector", () => {
  expect(signature("It's a Secret to Everybody", Buffer.from("Hello, World!"))).toBe(
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  );
});

test("a text arrives in Meta's envelope, signed over the very bytes", async () => {
  const { graph, receiver } = await start();
  const id = graph.write({ from: ada, content: content.text("Grüße"), quote: { id: "wamid.q" } });
  const [post] = await receiver.posts.waitFor();
  const expected = createHmac("sha256", graph.account.appSecret).update(post?.body ?? "");
  expect(post?.headers["x-hub-signature-256"]).toBe(`sha256=${expected.digest("hex")}`);
  expect(valueOf(post)).toMatchObject({
    messaging_product: "whatsapp",
    metadata: { phone_number_id: graph.account.phoneNumberId },
    contacts: [{ profile: { name: "Ada" }, wa_id: "15550001111" }],
    messages: [
      {
        from: "15550001111",
        id,
        type: "text",
        text: { body: "Grüße" },
        context: { id: "wamid.q" },
      },
    ],
  });
});

test("Meta's escaped form is signed as it is sent and means the same", async () => {
  const { graph, receiver } = await start();
  graph.write({ from: ada, content: content.text("ä/<b>100% @ada 👋") });
  const [post] = await receiver.posts.waitFor();
  const raw = post?.body.toString("latin1") ?? "";
  expect(raw).toContain("\\u00e4\\/\\u003Cb>100\\u0025 \\u0040ada \\ud83d\\udc4b");
  expect(post?.headers["x-hub-signature-256"]).toBe(
    signature(graph.account.appSecret, post?.body ?? new Uint8Array()),
  );
  expect(valueOf(post).messages?.[0]).toMatchObject({ text: { body: "ä/<b>100% @ada 👋" } });
});

test("a customer known by the user id alone has neither from nor wa_id", async () => {
  const { graph, receiver } = await start();
  graph.write({ from: { userId: "US.42", username: "ada" }, content: content.text("x") });
  const [post] = await receiver.posts.waitFor();
  const { messages, contacts } = valueOf(post);
  expect(messages?.[0]).toMatchObject({ from_user_id: "US.42" });
  expect(Object.keys(messages?.[0] ?? {})).not.toContain("from");
  expect(contacts).toEqual([{ profile: { name: "Ada", username: "ada" }, user_id: "US.42" }]);
});

test("every content names its type, and its part stands under that name", () => {
  const file = { id: "1", mimeType: "image/png", sha256: "00" };
  const all = [
    content.text("x"),
    content.image(file, "c"),
    content.video(file),
    content.document(file, "a.pdf"),
    content.audio(file),
    content.voice(file),
    content.sticker(file),
    content.location(1, 2, "n"),
    content.contacts({ name: "B", phone: "+1555" }),
    content.buttonReply("1", "Yes"),
    content.listReply("1", "Row"),
    content.flowReply({ a: 1 }),
    content.button("No"),
    content.order("c", "t", []),
    content.reaction("w", "👍"),
    content.edit("w", "new"),
    content.revoke("w"),
    content.unsupported("gif"),
    content.numberChanged("+1666"),
  ];
  for (const one of all) expect(one[one.type]).toBeDefined();
});

test("a webhook is sent again until it is answered 200", async () => {
  const { graph, receiver } = await start({}, [500, 503, 404]);
  graph.write({ from: ada, content: content.text("x") });
  const [record] = await graph.records.webhooks.waitFor();
  expect(record).toMatchObject({ attempts: 4, status: 200, state: "accepted" });
  const bodies = new Set(receiver.posts.entries.map(({ body }) => body.toString()));
  expect(bodies.size).toBe(1);
});

test("a webhook that nobody takes is given up in the end", async () => {
  const { graph, receiver } = await start({
    webhooks: { retry: { initialMs: 1, factor: 1, maxMs: 1, giveUpAfterMs: 20 } },
  });
  receiver.stop();
  graph.write({ from: ada, content: content.text("x") });
  const [record] = await graph.records.webhooks.waitFor();
  expect(record).toMatchObject({ status: null, state: "given-up" });
  expect(record?.attempts).toBeGreaterThan(1);
});

test("statuses follow a send in order and echo its callback data", async () => {
  const { graph, receiver } = await start({
    statuses: { states: ["sent", "delivered", "read"], delayMs: 1 },
  });
  await sendText(graph);
  const posts = await receiver.posts.waitFor({ count: 3 });
  const wamid = graph.records.sentTo("15550001111")[0]?.wamid;
  expect(posts.map((post) => valueOf(post).statuses?.[0])).toMatchObject(
    ["sent", "delivered", "read"].map((status) => ({
      id: wamid,
      status,
      recipient_id: "15550001111",
      biz_opaque_callback_data: "delivery-1",
    })),
  );
});

test("each status waits for its own time", async () => {
  const clock = fakeClock();
  const { graph } = await start({
    clock,
    webhooks: { url: null },
    statuses: { states: ["sent", "delivered"], delayMs: 100 },
  });
  await sendText(graph);
  const reported = () => graph.records.webhooks.entries.length;
  await clock.advance(99);
  expect(reported()).toBe(0);
  await clock.advance(1);
  expect(reported()).toBe(1);
  await clock.advance(100);
  expect(reported()).toBe(2);
});

test("handshake asks with the token and checks the challenge", async () => {
  const { graph } = await start();
  expect(await graph.handshake()).toMatchObject({ status: 200, verified: true });
});
