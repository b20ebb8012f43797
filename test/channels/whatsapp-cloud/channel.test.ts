import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { TurnFocus } from "../../../src/channels/channel.ts";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { createWhatsAppCloud } from "../../../src/channels/whatsapp-cloud/channel.ts";
import { whatsappSchema } from "../../../src/config/schema.ts";
import { silentLog, type LogFields } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { fakeClock } from "../../support/clock.ts";
import { messagesBody, phoneNumberId, textItem } from "./bodies.ts";
import { graphStub, live, refused, type Asked } from "./graph-stub.ts";

const config = {
  access_token: "EAAtoken",
  phone_number_id: phoneNumberId,
  verify_token: "verify",
  graph_api_version: "v26.0",
};

interface Over {
  config?: object;
  readReceipts?: boolean;
  typing?: boolean;
  appSecret?: string;
}

function channel(over: Over = {}) {
  const warned: string[] = [];
  const whispered = Promise.withResolvers<LogFields>();
  const made = createWhatsAppCloud({
    config: v.parse(whatsappSchema, { ...config, ...over.config }),
    readReceipts: over.readReceipts ?? true,
    typing: over.typing ?? true,
    appSecret: over.appSecret ?? null,
    fetch: (url, init) => fetch(url, init),
    clock: fakeClock(Date.UTC(2026, 10, 20)),
    log: {
      ...silentLog,
      warn: (_fields, message) => warned.push(message),
      debug: (fields) => whispered.resolve(fields),
    },
    metrics: createMetrics(),
  });
  return { channel: made, warned, whispered: whispered.promise };
}

const post = (body: unknown) => ({ method: "POST", body: JSON.stringify(body) });

test("sends as many a second as the file says, and 45 ahead to one person", () => {
  const { pace } = channel({ config: { messages_per_second: 20 } }).channel;
  expect(pace).toEqual({ perSecond: 20, recipientIntervalMs: 6_000, recipientBurst: 45 });
});

test("says who it is", () => {
  const { name, backend, account, repeat } = channel().channel;
  expect({ name, backend, account, repeat }).toEqual({
    name: "whatsapp",
    backend: "cloud",
    account: phoneNumberId,
    repeat: "status",
  });
});

test.each([
  ["a minute unless told otherwise", {}, 60_000],
  ["as many seconds as configured", { status_grace_secs: 5 }, 5000],
])("waits for a status %s", (_name, over, expected) => {
  expect(channel({ config: over }).channel.graceMs).toBe(expected);
});

test.each(["access_token", "phone_number_id", "verify_token"])("is not made without %s", (key) => {
  expect(() => channel({ config: { [key]: undefined } })).toThrow(key);
  expect(() => channel({ config: { [key]: "" } })).toThrow(key);
});

test("takes webhooks from its start to its stop, and learns its number", async () => {
  const { channel: cloud } = channel();
  const states: string[] = [];
  cloud.onStatus(() => states.push(`${cloud.status().state} ${cloud.status().linkedAs}`));
  const deliver = async (events: InboundEvent[]) => void delivered.push(...events);
  const delivered: InboundEvent[] = [];
  const send = async () =>
    (await cloud.routes?.request("/whatsapp", post(messagesBody([textItem("Hi")]))))?.status;
  expect([cloud.status().state, await send()]).toEqual(["connecting", 503]);
  await cloud.start(deliver);
  expect([cloud.status().state, await send(), await send()]).toEqual(["ready", 200, 200]);
  await cloud.stop();
  expect([cloud.status().state, await send()]).toEqual(["disconnected", 503]);
  expect(delivered).toHaveLength(2);
  expect(states).toEqual(["ready null", "ready +15550783881", "disconnected +15550783881"]);
});

test("warns once of a version that has ended", async () => {
  const appSecret = "apps3cret";
  const old = channel({ config: { graph_api_version: "v18.0" }, appSecret });
  await old.channel.start(async () => {});
  expect(old.warned).toHaveLength(1);
  expect(old.warned[0]).toContain("v18.0");
  const current = channel({ appSecret });
  await current.channel.start(async () => {});
  expect(current.warned).toEqual([]);
});

test("warns of webhooks that nobody signs", async () => {
  const open = channel();
  await open.channel.start(async () => {});
  expect(open.warned).toEqual([
    "app_secret is not set: whoever knows the address of /whatsapp can write as anybody",
  ]);
});

describe("turnStarted", () => {
  const focus = (ids: string[], kind: "direct" | "group" = "direct"): TurnFocus => ({
    chat: { kind, id: "x" },
    recipient:
      kind === "direct" ? { kind, phone: "+1650555", userId: null, lid: null } : { kind, id: "g" },
    messages: ids.map((id) => ({ id, sender: { phone: null, userId: null, lid: null } })),
  });
  const typing = { typing_indicator: { type: "text" } };
  const rows: [string, { readReceipts: boolean; typing: boolean }, TurnFocus, object | null][] = [
    [
      "both on: the last message",
      { readReceipts: true, typing: true },
      focus(["wamid.A", "wamid.B"]),
      { message_id: "wamid.B", ...typing },
    ],
    [
      "typing off",
      { readReceipts: true, typing: false },
      focus(["wamid.A"]),
      { message_id: "wamid.A" },
    ],
    ["read receipts off", { readReceipts: false, typing: true }, focus(["wamid.A"]), null],
    [
      "a group does not see typing",
      { readReceipts: true, typing: true },
      focus(["wamid.A"], "group"),
      { message_id: "wamid.A" },
    ],
    [
      "an id of our own is unknown to Meta",
      { readReceipts: true, typing: true },
      focus(["wamid.A", "hash:0"]),
      { message_id: "wamid.A", ...typing },
    ],
    ["no message", { readReceipts: true, typing: true }, focus([]), null],
  ];
  test.each(rows)("%s", async (_name, settings, turn, expected) => {
    const arrived = Promise.withResolvers<Asked>();
    await using stub = graphStub((asked) => {
      arrived.resolve(asked);
      return Response.json({ success: true });
    });
    const { channel: cloud } = channel({ ...settings, config: { api_base_url: stub.url } });
    cloud.turnStarted(turn);
    cloud.turnEnded(turn);
    if (expected === null) {
      // A call that goes through proves that none came before it.
      await cloud.probe(live());
      expect(stub.asked.map(({ method }) => method)).toEqual(["GET"]);
      return;
    }
    const sent = (await arrived.promise).json();
    expect(sent).toEqual({ messaging_product: "whatsapp", status: "read", ...expected });
  });

  test("the stop of the channel ends a call that Meta does not answer", async () => {
    const arrived = Promise.withResolvers<void>();
    await using stub = graphStub(() => {
      arrived.resolve();
      return new Promise(() => {});
    });
    const { channel: cloud, whispered } = channel({ config: { api_base_url: stub.url } });
    cloud.turnStarted(focus(["wamid.A"]));
    await arrived.promise;
    await cloud.stop();
    expect(await whispered).toEqual({ code: "aborted" });
  });

  test("a failure is only whispered", async () => {
    await using stub = graphStub(() => refused(400, { code: 100 }));
    const { channel: cloud, whispered, warned } = channel({ config: { api_base_url: stub.url } });
    cloud.turnStarted(focus(["wamid.A"]));
    expect([await whispered, warned]).toEqual([{ code: "100" }, []]);
  });
});

describe("probe", () => {
  const number = { id: phoneNumberId, display_phone_number: "+1 555-078-3881" };
  const blocked = {
    can_send_message: "BLOCKED",
    entities: [
      { entity_type: "APP", can_send_message: "AVAILABLE" },
      {
        entity_type: "WABA",
        errors: [
          {
            error_code: 141006,
            error_description: "No payment method.",
            possible_solution: "Add one.",
          },
        ],
      },
    ],
  };
  const rows: [string, () => Response, object | null][] = [
    ["fine", () => Response.json(number), null],
    [
      "fine, with health",
      () => Response.json({ ...number, health_status: { can_send_message: "LIMITED" } }),
      null,
    ],
    [
      "blocked",
      () => Response.json({ ...number, health_status: blocked }),
      {
        retry: "hold",
        code: "141006",
        hint: expect.stringContaining("No payment method. Add one."),
      },
    ],
    [
      "blocked without a reason",
      () => Response.json({ ...number, health_status: { can_send_message: "BLOCKED" } }),
      {
        retry: "hold",
        code: "blocked",
        hint: "Meta has blocked sending for this number. See Account quality in WhatsApp Manager.",
      },
    ],
    [
      "the token may not read the number, which says nothing of sending",
      () => refused(400, { code: 100 }),
      { retry: "no", code: "100" },
    ],
    [
      "what answers is not Meta",
      () => Response.json([number]),
      { retry: "hold", code: "http_200" },
    ],
    [
      "what answers knows no such question",
      () => new Response("", { status: 404 }),
      { retry: "no", code: "http_404" },
    ],
    [
      "what answers takes no GET",
      () => new Response("", { status: 501 }),
      { retry: "no", code: "http_501" },
    ],
    ["too many questions", () => refused(400, { code: 4 }), { retry: "hold", code: "4" }],
    ["the token is bad", () => refused(401, { code: 190 }), { retry: "hold", code: "190" }],
    [
      "Meta is down, in words that say nothing",
      () => Response.json({}, { status: 503 }),
      { retry: "hold", code: "http_503" },
    ],
    ["Meta is down", () => new Response("", { status: 503 }), { retry: "hold", code: "http_503" }],
  ];
  test.each(rows)("%s", async (_name, answer, expected) => {
    await using stub = graphStub(answer);
    const { channel: cloud } = channel({ config: { api_base_url: stub.url } });
    const failure = await cloud.probe(live());
    if (expected === null) {
      expect([failure, cloud.status().linkedAs]).toEqual([null, "+15550783881"]);
    } else {
      expect(failure).toMatchObject(expected);
    }
    expect(stub.asked[0]?.path).toStartWith(`/v26.0/${phoneNumberId}?fields=`);
  });

  test("a relay that knows nothing of the number lets sending go on", async () => {
    await using stub = graphStub(() => Response.json({}));
    const { channel: cloud } = channel({ config: { api_base_url: stub.url } });
    expect(await cloud.probe(live())).toBeNull();
  });
});
