import { describe, expect, test } from "bun:test";
import { NotAccepted, type Channel, type Deliver } from "../../../src/channels/channel.ts";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { silentLog, type LogFields } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { wati } from "./support.ts";

const message = { eventType: "message", waId: "15550001111", text: "hi", type: "text", id: "1" };

async function started(config: object = {}, deliver?: Deliver, log = silentLog) {
  const taken: InboundEvent[][] = [];
  const metrics = createMetrics();
  const channel = wati(config, { metrics, log });
  await channel.start(deliver ?? (async (events) => void taken.push(events)));
  return { channel, taken, metrics };
}

function ask(channel: Channel, path: string, init?: RequestInit): Promise<Response> {
  return Promise.resolve(
    channel.routes?.request(path, init) ?? new Response(null, { status: 599 }),
  );
}

function post(channel: Channel, body: BodyInit, headers: Record<string, string> = {}, query = "") {
  return ask(channel, `/wati${query}`, { method: "POST", body, headers });
}

test("GET echoes the challenge, HEAD its head, others are not allowed", async () => {
  const { channel } = await started();
  const got = await ask(channel, "/wati?hub.challenge=12%3C34");
  expect([got.status, await got.text()]).toEqual([200, "12<34"]);
  expect(got.headers.get("content-type")).toStartWith("text/plain");
  expect(got.headers.get("x-content-type-options")).toBe("nosniff");
  const head = await ask(channel, "/wati?hub.challenge=1", { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect((await ask(channel, "/wati")).status).toBe(400);
  const put = await ask(channel, "/wati", { method: "PUT" });
  expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
  expect(await put.json()).toEqual({ error: "method not allowed" });
});

test("POST answers once the message is on disk, and not before", async () => {
  let store = () => {};
  const stored = new Promise<void>((resolve) => (store = resolve));
  let handed = () => {};
  const arrived = new Promise<void>((resolve) => (handed = resolve));
  const { channel } = await started({}, async () => {
    handed();
    await stored;
  });
  let answered = false;
  const answer = post(channel, JSON.stringify(message)).then((it) => {
    answered = true;
    return it;
  });
  await arrived;
  await Promise.resolve();
  expect(answered).toBe(false);
  store();
  expect([(await answer).status, await (await answer).json()]).toEqual([200, { status: "ok" }]);
});

describe("the secret", () => {
  const secret = "s3cret value";
  const body = JSON.stringify(message);
  const cases: [name: string, headers: Record<string, string>, query: string, status: number][] = [
    ["missing", {}, "", 401],
    ["header", { "x-revka-webhook-secret": secret }, "", 200],
    ["bearer", { authorization: `Bearer ${secret}` }, "", 200],
    ["bearer in lower case", { authorization: `bearer ${secret}` }, "", 200],
    ["query", {}, `?secret=${encodeURIComponent(secret)}`, 200],
    ["query, behind another", {}, `?secret=guess&secret=${encodeURIComponent(secret)}`, 200],
    ["wrong header", { "x-revka-webhook-secret": "guess" }, "", 401],
    ["wrong bearer", { authorization: "Bearer guess" }, "", 401],
    ["wrong query", {}, "?secret=guess", 401],
    ["a beginning of it", { "x-revka-webhook-secret": "s3cret" }, "", 401],
    ["empty", { "x-revka-webhook-secret": "" }, "?secret=", 401],
    ["another scheme", { authorization: `Basic ${secret}` }, "", 401],
    [
      "one wrong, one right",
      { authorization: "Bearer guess" },
      `?secret=${encodeURIComponent(secret)}`,
      200,
    ],
  ];
  for (const [name, headers, query, status] of cases) {
    test(name, async () => {
      const { channel, taken } = await started({ webhook_secret: secret });
      expect((await post(channel, body, headers, query)).status).toBe(status);
      expect(taken).toHaveLength(status === 200 ? 1 : 0);
    });
  }

  describe("beyond plain letters", () => {
    /** What the server makes of a header's bytes: each is a letter of Latin-1. */
    const sent = (value: string) => Buffer.from(value).toString("latin1");
    const cases: [name: string, secret: string, header: string, query: string, status: number][] = [
      ["base64, pasted as it is", "a+b/c==", "", "?secret=a+b/c==", 200],
      ["base64, encoded", "a+b/c==", "", "?secret=a%2Bb%2Fc%3D%3D", 200],
      ["a plus beside an encoded space", "a+b c", "", "?secret=a+b%20c", 200],
      ["a space as a plus", "a b", "", "?secret=a+b", 200],
      ["a plus, behind another", "a+b", "", "?secret=guess&secret=a+b", 200],
      ["a plus is no space", "a+b", "", "?secret=a%20b", 401],
      ["nor the other way round", "a b", "", "?secret=a%2Bb", 401],
      ["of two pluses one as a space", "a+b+c", "", "?secret=a+b%20c", 401],
      ["a plus in a header", "a+b", "a+b", "", 200],
      ["a header's plus is no space", "a b", "a+b", "", 401],
      ["letters of Latin-1 as UTF-8", "größe", sent("größe"), "", 200],
      ["letters of Latin-1 as they are", "größe", "größe", "", 200],
      ["letters beyond", "ключ🔑", sent("ключ🔑"), "", 200],
      [
        "letters beyond, in the query",
        "ключ🔑",
        "",
        `?secret=${encodeURIComponent("ключ🔑")}`,
        200,
      ],
      ["the last byte is a space of Latin-1", "voilà", sent("voilà"), "", 200],
      ["letters cut off", "größe", sent("größ"), "", 401],
      ["letters of another composition", "größe", sent("größe".normalize("NFD")), "", 401],
      ["bytes that are no letters", "gr\ufffde", "gr\xffe", "", 401],
      ["bytes of UTF-8, in the query", "größe", "", `?secret=${sent("größe")}`, 401],
    ];
    for (const [name, beyond, header, query, status] of cases) {
      test(name, async () => {
        const { channel } = await started({ webhook_secret: beyond });
        const places: Record<string, string>[] =
          header === ""
            ? [{}]
            : [{ "x-revka-webhook-secret": header }, { authorization: `Bearer ${header}` }];
        for (const headers of places) {
          expect((await post(channel, body, headers, query)).status).toBe(status);
        }
      });
    }
  });

  test("a length over the limit is refused before it is asked for", async () => {
    const { channel } = await started({ webhook_secret: secret });
    const headers = { "content-length": String(4 * 1024 * 1024 + 1) };
    expect((await post(channel, "x", headers)).status).toBe(413);
  });

  test("a stranger's body is not read", async () => {
    const { channel } = await started({ webhook_secret: secret });
    let read = false;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          read = true;
          controller.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    expect((await post(channel, stream)).status).toBe(401);
    expect(read).toBe(false);
  });
});

describe("bodies", () => {
  test("that are too long are refused, declared or not", async () => {
    const { channel, taken } = await started();
    const long = new Uint8Array(4 * 1024 * 1024 + 1).fill(32);
    expect((await post(channel, long)).status).toBe(413);
    expect((await post(channel, new Blob([long]).stream())).status).toBe(413);
    expect(taken).toEqual([]);
  });

  test("of the limit pass", async () => {
    const { channel, taken } = await started();
    const body = JSON.stringify(message).padEnd(4 * 1024 * 1024, " ");
    expect((await post(channel, body)).status).toBe(200);
    expect(taken).toHaveLength(1);
  });

  test("that are no JSON are refused", async () => {
    const { channel } = await started();
    for (const body of ["", "{", "hello", new Uint8Array([0xff, 0xfe])]) {
      expect((await post(channel, body)).status).toBe(400);
    }
  });

  test("of unknown shapes are 200 and counted", async () => {
    const { channel, taken } = await started();
    for (const body of ["null", "5", '"x"', "[]", "{}", "[[[]]]", '{"eventType":{}}']) {
      expect((await post(channel, body)).status).toBe(200);
    }
    expect(taken.flat().every((it) => it.kind === "ignored")).toBe(true);
    expect(taken.flat().length).toBeGreaterThan(4);
  });
});

describe("with the number of one channel as tenant_id", () => {
  const other = { ...message, channelPhoneNumber: "12025550123" };
  const kinds = (taken: InboundEvent[][]) =>
    taken.flat().map((it) => (it.kind === "ignored" ? it.reason : it.kind));

  test("what another channel received is ignored, and told of once", async () => {
    const warned: LogFields[] = [];
    const log = { ...silentLog, warn: (fields: LogFields) => warned.push(fields) };
    const { channel, taken } = await started(
      { tenant_id: "+17435002445", webhook_secret: "x" },
      undefined,
      log,
    );
    for (const event of [other, { ...other, id: "2" }]) {
      const answer = await post(channel, JSON.stringify(event), { "x-revka-webhook-secret": "x" });
      expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
    }
    expect(kinds(taken)).toEqual(["other_number", "other_number"]);
    expect(warned).toEqual([{ number: "…0123" }]);
  });

  const cases: [name: string, tenant_id: string | undefined, event: object, kind: string][] = [
    ["its own", "12025550123", other, "message"],
    [
      "its own, as a number",
      "12025550123",
      { ...other, channelPhoneNumber: 12025550123 },
      "message",
    ],
    [
      "its own in its other form",
      "5511987654321",
      { ...message, channelPhoneNumber: "551187654321" },
      "message",
    ],
    ["a channel that is not told", "17435002445", message, "message"],
    ["null", "17435002445", { ...message, channelPhoneNumber: null }, "message"],
    [
      "what is no phone number",
      "17435002445",
      { ...message, channelPhoneNumber: "177742" },
      "message",
    ],
    ["any, where a name is set", "my-shop", other, "message"],
    ["any, where the tenant is set", "384776", other, "message"],
    ["any, where nothing is set", undefined, other, "message"],
    [
      "what became of another's sending",
      "17435002445",
      { ...other, eventType: "sessionMessageFailed" },
      "other_number",
    ],
  ];
  for (const [name, tenant_id, event, kind] of cases) {
    test(`${name}: ${kind}`, async () => {
      const { channel, taken } = await started(tenant_id === undefined ? {} : { tenant_id });
      expect((await post(channel, JSON.stringify(event))).status).toBe(200);
      expect(kinds(taken)).toEqual([kind]);
    });
  }

  test("a list is told apart one by one", async () => {
    const { channel, taken } = await started({ tenant_id: "17435002445" });
    await post(channel, JSON.stringify([other, message, 7]));
    expect(kinds(taken)).toEqual(["other_number", "message", "malformed"]);
  });
});

describe("what cannot be taken", () => {
  test("is 503 with the time to come again", async () => {
    const { channel } = await started({}, async () => {
      throw new NotAccepted("overloaded", 15, "too many messages are waiting");
    });
    const got = await post(channel, JSON.stringify(message));
    expect([got.status, got.headers.get("retry-after")]).toEqual([503, "15"]);
    expect(await got.json()).toEqual({ error: "too many messages are waiting" });
  });

  test("for a fault of ours is 503 without its words", async () => {
    const { channel } = await started({}, async () => {
      throw new Error("SQLITE_CORRUPT at /secret/path");
    });
    const got = await post(channel, JSON.stringify(message));
    expect(got.status).toBe(503);
    expect(got.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await got.text()).not.toContain("secret");
  });

  test("before the start and after the stop is 503", async () => {
    const fresh = wati({});
    expect((await post(fresh, JSON.stringify(message))).status).toBe(503);
    const { channel } = await started();
    await channel.stop();
    expect((await post(channel, JSON.stringify(message))).status).toBe(503);
  });
});

test("calls are counted by answer", async () => {
  const { channel, metrics } = await started({ webhook_secret: "x" });
  await post(channel, "{}");
  await post(channel, "{}", {}, "?secret=x");
  const { values } = metrics.webhookRequests.get();
  expect(values.map((it) => [it.labels.channel, it.labels.status, it.value])).toEqual([
    ["wati", "401", 1],
    ["wati", "200", 1],
  ]);
});
