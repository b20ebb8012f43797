import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { NotAccepted, type Deliver } from "../../../src/channels/channel.ts";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { maxWebhookBytes } from "../../../src/channels/intake.ts";
import { cloudRoutes } from "../../../src/channels/whatsapp-cloud/webhook.ts";
import { silentLog, type LogFields } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { fakeClock } from "../../support/clock.ts";
import { messagesBody, phoneNumberId, textItem } from "./bodies.ts";

const appSecret = "app-secret";

function webhook(settings: { appSecret?: string | null; deliver?: Deliver | null } = {}) {
  const delivered: InboundEvent[][] = [];
  const warned: LogFields[] = [];
  const owns: string[] = [];
  const metrics = createMetrics();
  const clock = fakeClock();
  const taker: Deliver = async (events) => {
    delivered.push(events);
  };
  const routes = cloudRoutes({
    phoneNumberId,
    verifyToken: "verify-token",
    appSecret: settings.appSecret === undefined ? appSecret : settings.appSecret,
    clock,
    log: { ...silentLog, warn: (fields) => warned.push(fields) },
    metrics,
    deliver: () => (settings.deliver === undefined ? taker : settings.deliver),
    onOwnNumber: (phone) => owns.push(phone),
  });
  return { routes, delivered, warned, owns, metrics, clock };
}

type Webhook = ReturnType<typeof webhook>;

function sign(body: string | Uint8Array): string {
  return `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`;
}

function post(
  { routes }: Webhook,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
) {
  const init = { method: "POST", headers: { "x-hub-signature-256": sign(body), ...headers } };
  return routes.request("/whatsapp", { ...init, body: new Blob([body as BlobPart]) });
}

const good = JSON.stringify(messagesBody([textItem("Hi")]));

describe("GET /whatsapp", () => {
  const query = (values: Record<string, string>) => `/whatsapp?${new URLSearchParams(values)}`;
  const right = {
    "hub.mode": "subscribe",
    "hub.verify_token": "verify-token",
    "hub.challenge": "1158201444",
  };

  test("answers the bare challenge", async () => {
    const answer = await webhook().routes.request(query(right));
    expect([answer.status, await answer.text()]).toEqual([200, "1158201444"]);
    expect(answer.headers.get("content-type")).toStartWith("text/plain");
  });

  const rows: [string, Record<string, string>, number][] = [
    ["another mode", { ...right, "hub.mode": "unsubscribe" }, 403],
    ["no mode", { "hub.verify_token": "verify-token", "hub.challenge": "1" }, 403],
    ["another token", { ...right, "hub.verify_token": "verify-tokem" }, 403],
    ["no token", { "hub.mode": "subscribe", "hub.challenge": "1" }, 403],
    ["another token and no challenge", { "hub.mode": "subscribe", "hub.verify_token": "x" }, 403],
    ["no challenge", { "hub.mode": "subscribe", "hub.verify_token": "verify-token" }, 400],
    ["an empty challenge", { ...right, "hub.challenge": "" }, 400],
    ["nothing", {}, 403],
  ];
  test.each(rows)("%s", async (_name, values, status) => {
    const answer = await webhook().routes.request(query(values));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: expect.any(String) });
  });

  test("HEAD is GET without a body", async () => {
    const answer = await webhook().routes.request(query(right), { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect((await webhook().routes.request("/whatsapp", { method: "HEAD" })).status).toBe(403);
  });

  test.each(["PUT", "DELETE", "PATCH", "OPTIONS"])("%s is 405", async (method) => {
    const answer = await webhook().routes.request(query(right), { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
  });
});

describe("POST /whatsapp: the signature", () => {
  const rows: [string, Record<string, string>, number][] = [
    ["right", {}, 200],
    ["missing", { "x-hub-signature-256": "" }, 401],
    ["wrong", { "x-hub-signature-256": sign("another body") }, 401],
    ["malformed", { "x-hub-signature-256": "sha256=zz" }, 401],
    [
      "in upper case",
      { "x-hub-signature-256": `sha256=${sign(good).slice(7).toUpperCase()}` },
      200,
    ],
  ];
  test.each(rows)("%s", async (_name, headers, status) => {
    const hook = webhook();
    const answer = await post(hook, good, headers);
    expect(answer.status).toBe(status);
    expect(hook.delivered).toHaveLength(status === 200 ? 1 : 0);
  });

  test("is over the bytes as they came, however they are escaped", async () => {
    const escaped = good.replace("Hi", "\\u0048\\/\\u00e4");
    const hook = webhook();
    expect((await post(hook, escaped)).status).toBe(200);
    expect(hook.delivered[0]?.[0]).toMatchObject({ message: { text: "H/ä" } } as never);
  });

  test("is not asked for without an app secret", async () => {
    const hook = webhook({ appSecret: null });
    const answer = await post(hook, good, { "x-hub-signature-256": "" });
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
  });

  test("guessing writes one line a minute", async () => {
    const hook = webhook();
    for (let i = 0; i < 5; i++) await post(hook, good, { "x-hub-signature-256": "" });
    expect(hook.warned).toHaveLength(1);
    await hook.clock.advance(60_000);
    await post(hook, good, { "x-hub-signature-256": "" });
    expect(hook.warned).toHaveLength(2);
    // The machine had a wrong date: nobody waits until it is that late again.
    await hook.clock.advance(-365 * 86_400_000);
    await post(hook, good, { "x-hub-signature-256": "" });
    expect(hook.warned).toHaveLength(3);
  });
});

describe("POST /whatsapp: the body", () => {
  test("what it says is handed in before 200, and the own number is learnt", async () => {
    const hook = webhook();
    const answer = await post(hook, good);
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
    expect(hook.delivered).toMatchObject([[{ kind: "message", message: { text: "Hi" } }]] as never);
    expect(hook.owns).toEqual(["+15550783881"]);
  });

  const rows: [string, string | Uint8Array, number][] = [
    ["not JSON", "{", 400],
    ["nothing", "", 400],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400],
    ["a text", '"x"', 200],
    ["null", "null", 200],
    ["a shape of tomorrow", '{"entry":[{"changes":[{"field":"messages","value":7}]}]}', 200],
    ["lists a hundred thousand deep", "[".repeat(100_000) + "]".repeat(100_000), 200],
    [
      "objects a hundred thousand deep",
      '{"entry":'.repeat(100_000) + "1" + "}".repeat(100_000),
      200,
    ],
    [
      "a message whose content is as deep",
      JSON.stringify(messagesBody([{ type: "poll", from: "16505551234", poll: "@" }])).replace(
        '"@"',
        "[".repeat(100_000) + "]".repeat(100_000),
      ),
      200,
    ],
  ];
  test.each(rows)("%s", async (_name, body, status) => {
    const hook = webhook();
    expect((await post(hook, body)).status).toBe(status);
    expect(hook.delivered).toHaveLength(status === 200 ? 1 : 0);
  });

  test("of the limit is taken, longer is 413, whatever its signature", async () => {
    const filled = (size: number) => {
      const [head = "", tail = ""] = JSON.stringify(messagesBody([textItem("HERE")])).split("HERE");
      return head + "x".repeat(size - head.length - tail.length) + tail;
    };
    const hook = webhook();
    expect((await post(hook, filled(maxWebhookBytes))).status).toBe(200);
    expect((await post(hook, filled(maxWebhookBytes + 1))).status).toBe(413);
    expect(hook.delivered).toHaveLength(1);
  });

  test("of a declared length over the limit is 413 before anything is read", async () => {
    const answer = await webhook().routes.request("/whatsapp", {
      method: "POST",
      headers: { "content-length": String(maxWebhookBytes + 1) },
      body: "{}",
    });
    expect(answer.status).toBe(413);
  });

  test("that never ends is cut off at the limit", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const init = { method: "POST", body: endless, duplex: "half" };
    expect((await webhook().routes.request("/whatsapp", init)).status).toBe(413);
    expect(sent).toBeLessThan(maxWebhookBytes + 1_000_000);
  });
});

describe("POST /whatsapp: the inside", () => {
  test("not accepted is 503 with Retry-After", async () => {
    const deliver = async () => {
      throw new NotAccepted("store", 30, "the message cannot be stored");
    };
    const answer = await post(webhook({ deliver }), good);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(await answer.json()).toEqual({ error: "the message cannot be stored" });
  });

  test("an error of its own is 503 too, and is not told", async () => {
    const deliver = async () => {
      throw new Error("secret detail");
    };
    const answer = await post(webhook({ deliver }), good);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await answer.text()).not.toContain("secret");
  });

  test("stopped or not yet started is 503", async () => {
    expect((await post(webhook({ deliver: null }), good)).status).toBe(503);
  });

  test("for another number is told once, by its id, and taken", async () => {
    const hook = webhook();
    const of = (id: string) =>
      JSON.stringify(messagesBody([textItem("Hi")], { metadata: { phone_number_id: id } }));
    for (const id of [phoneNumberId, "123456123", "123456124"]) {
      expect((await post(hook, of(id))).status).toBe(200);
    }
    expect(hook.warned).toEqual([{ phone_number_id: "123456123" }]);
    expect(hook.delivered.map(([event]) => event?.kind)).toEqual(["message", "ignored", "ignored"]);
  });

  test("answers are counted", async () => {
    const hook = webhook();
    await post(hook, good);
    await post(hook, "{");
    await post(hook, good, { "x-hub-signature-256": "" });
    const { values } = hook.metrics.webhookRequests.get();
    expect(values.map(({ labels, value }) => [labels.channel, labels.status, value])).toEqual([
      ["whatsapp", "200", 1],
      ["whatsapp", "400", 1],
      ["whatsapp", "401", 1],
    ]);
  });
});
