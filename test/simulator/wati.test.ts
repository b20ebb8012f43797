import { afterEach, beforeEach, expect, test } from "bun:test";
import { createWatiSimulator, type WatiSimulator } from "../../src/simulator/wati.ts";

let simulator: WatiSimulator;
beforeEach(async () => {
  simulator = createWatiSimulator({ channels: ["MyChannel"] });
  await simulator.start();
});
afterEach(() => simulator.close());

const v3 = "/api/ext/v3/conversations";

function send(path: string, body: unknown, headers: object = {}): Promise<Response> {
  return fetch(simulator.url + path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${simulator.token}`,
      "content-type": "application/json",
      ...headers,
    },
  });
}

test("it refuses what WATI refuses", async () => {
  const text = `${v3}/messages/text`;
  const cases: [name: string, path: string, body: unknown, headers: object, status: number][] = [
    ["accepted", text, { target: "15550001111", text: "hi" }, {}, 200],
    ["a channel", text, { target: "MyChannel:15550001111", text: "hi" }, {}, 200],
    ["a BSUID", text, { target: "US.123124141512", text: "hi" }, {}, 200],
    ["a conversation", text, { target: "685bd235e6119686e693a093", text: "hi" }, {}, 200],
    ["the tenant in the path", `/384776${text}`, { target: "15550001111", text: "hi" }, {}, 404],
    ["no token", text, { target: "15550001111", text: "hi" }, { authorization: "" }, 401],
    [
      "a wrong token",
      text,
      { target: "15550001111", text: "hi" },
      { authorization: "Bearer x" },
      401,
    ],
    ["no text", text, { target: "15550001111" }, {}, 400],
    ["too much text", text, { target: "15550001111", text: "x".repeat(4097) }, {}, 400],
    ["a plus", text, { target: "+15550001111", text: "hi" }, {}, 400],
    ["an unknown channel", text, { target: "Other:15550001111", text: "hi" }, {}, 404],
    ["no form", `${v3}/messages/file`, { target: "15550001111" }, {}, 400],
  ];
  for (const [name, path, body, headers, status] of cases) {
    expect([name, (await send(path, body, headers)).status]).toEqual([name, status]);
  }
  expect(simulator.received).toHaveLength(4);
});

test("an event is posted until it is taken", async () => {
  const statuses = [500, 503, 200];
  const bodies: string[] = [];
  const receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      bodies.push(await request.text());
      return new Response(null, { status: statuses.shift() ?? 599 });
    },
  });
  simulator.webhook.url = `http://127.0.0.1:${receiver.port}/`;
  simulator.webhook.retryMs = 1;
  try {
    expect(await simulator.sendText("15550001111", "hi")).toMatchObject({ statuses: [200] });
    expect(new Set(bodies).size).toBe(1);
    expect(bodies).toHaveLength(3);
    expect(JSON.parse(bodies[0] ?? "")).toMatchObject({
      eventType: "message",
      waId: "15550001111",
      text: "hi",
    });
  } finally {
    await receiver.stop(true);
  }
});
