import { describe, expect, test } from "bun:test";
import type { Delivery, DeliveryContent, Recipient } from "../../../src/channels/message.ts";
import { markRead, sendMessage } from "../../../src/channels/whatsapp-cloud/client.ts";
import { callTimeoutMs } from "../../../src/channels/whatsapp-cloud/graph.ts";
import { fakeClock } from "../../support/clock.ts";
import { graphStub, live, refused, sent } from "./graph-stub.ts";

const ada: Recipient = { kind: "direct", phone: "+16505551234", userId: "US.1", lid: null };

function delivery(content: DeliveryContent, recipient: Recipient = ada): Delivery {
  return {
    id: "delivery-1",
    chat: { kind: "direct", id: "+16505551234" },
    recipient,
    content,
  };
}

const hi = delivery({ kind: "text", text: "Hi", quote: null });

describe("what is sent", () => {
  const text: DeliveryContent = { kind: "text", text: "Hi https://a.example", quote: null };
  const body = { type: "text", text: { body: "Hi https://a.example", preview_url: false } };
  const individual = { recipient_type: "individual", to: "+16505551234" };
  const rows: [string, Delivery, object][] = [
    ["text", delivery(text), { ...individual, ...body }],
    [
      "a quote",
      delivery({ ...text, quote: "wamid.Q" }),
      { ...individual, ...body, context: { message_id: "wamid.Q" } },
    ],
    [
      "to a BSUID",
      delivery(text, { kind: "direct", phone: null, userId: "US.1", lid: null }),
      { recipient_type: "individual", recipient: "US.1", ...body },
    ],
    [
      "to a group",
      delivery(text, { kind: "group", id: "group-1" }),
      { recipient_type: "group", to: "group-1", ...body },
    ],
    [
      "a reaction",
      delivery({ kind: "reaction", targetId: "wamid.T", emoji: "👍" }),
      { ...individual, type: "reaction", reaction: { message_id: "wamid.T", emoji: "👍" } },
    ],
  ];
  test.each(rows)("%s", async (_name, one, expected) => {
    await using stub = graphStub(sent);
    expect(await sendMessage(stub.graph, "106540352242922", one, live())).toEqual({
      ok: true,
      platformId: "wamid.OUT",
    });
    const [asked] = stub.asked;
    expect(asked?.method).toBe("POST");
    expect(asked?.path).toBe("/v26.0/106540352242922/messages");
    expect(asked?.headers.get("authorization")).toBe("Bearer EAAtoken");
    expect(asked?.headers.get("content-type")).toBe("application/json");
    expect(asked?.json()).toEqual({
      messaging_product: "whatsapp",
      biz_opaque_callback_data: "delivery-1",
      ...expected,
    });
  });

  const impossible: [string, Delivery][] = [
    ["only a LID", delivery(text, { kind: "direct", phone: null, userId: null, lid: "1@lid" })],
    ["oneself", delivery(text, { kind: "self" })],
    ["an edit", delivery({ kind: "edit", targetId: "wamid.T", text: "x" })],
    ["a revoke", delivery({ kind: "revoke", targetId: "wamid.T" })],
    [
      "a reaction in a group",
      delivery({ kind: "reaction", targetId: "wamid.T", emoji: "👍" }, { kind: "group", id: "g" }),
    ],
  ];
  test.each(impossible)("not possible, and not asked: %s", async (_name, one) => {
    await using stub = graphStub(sent);
    expect(await sendMessage(stub.graph, "1", one, live())).toMatchObject({
      ok: false,
      failure: { retry: "no" },
    });
    expect(stub.asked).toEqual([]);
  });
});

describe("what the answer means", () => {
  const rows: [string, () => Response, object][] = [
    [
      "a Graph error",
      () => refused(400, { code: 131047, error_data: { details: "Too late." } }),
      { retry: "no", code: "131047", hint: expect.stringMatching(/ Meta says: Too late\.$/) },
    ],
    [
      "an error that is not known",
      () => refused(400, { code: 99, message: "No such thing." }),
      { retry: "no", code: "99", hint: "Meta refused with code 99. Meta says: No such thing." },
    ],
    [
      "an error that is not known and passes",
      () => refused(400, { code: 99, is_transient: true }),
      { retry: "backoff", code: "99" },
    ],
    [
      "with Retry-After",
      () => refused(429, { code: 130429 }, { "retry-after": "7" }),
      { retry: "backoff", afterMs: 7000 },
    ],
    ["an expired token", () => refused(401, { code: 190 }), { retry: "hold", code: "190" }],
    [
      "a Graph error at 500",
      () => refused(500, { code: 2, is_transient: true }),
      { retry: "backoff", code: "2" },
    ],
    [
      "500 without a word",
      () => new Response("oops", { status: 500 }),
      { retry: "ambiguous", code: "http_500" },
    ],
    [
      "a code that no number holds",
      () => refused(500, { code: 2 ** 53 }),
      { retry: "ambiguous", code: "http_500" },
    ],
    [
      "502 of a proxy",
      () => new Response("<html>", { status: 502 }),
      { retry: "ambiguous", code: "http_502" },
    ],
    [
      "200 of a portal",
      () => new Response("<html>Log in"),
      { retry: "ambiguous", code: "http_200" },
    ],
    [
      "200 without an id",
      () => Response.json({ messages: [] }),
      { retry: "ambiguous", code: "http_200" },
    ],
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "/elsewhere" } }),
      { retry: "backoff", code: "http_302" },
    ],
    [
      "an endless answer",
      () => new Response("x".repeat(2 * 1024 * 1024)),
      { retry: "ambiguous", code: "BodyTooLarge" },
    ],
  ];
  test.each(rows)("%s", async (_name, answer, failure) => {
    await using stub = graphStub(answer);
    expect(await sendMessage(stub.graph, "1", hi, live())).toMatchObject({ ok: false, failure });
    expect(stub.asked).toHaveLength(1);
  });

  test("nobody listens", async () => {
    const stub = graphStub(sent);
    await stub[Symbol.asyncDispose]();
    expect(await sendMessage(stub.graph, "1", hi, live())).toMatchObject({
      failure: { retry: "unsent", code: "ECONNREFUSED" },
    });
  });

  test("no answer until the deadline", async () => {
    const clock = fakeClock();
    const arrived = Promise.withResolvers<void>();
    await using stub = graphStub(
      () => {
        arrived.resolve();
        return new Promise(() => {});
      },
      { clock },
    );
    const result = sendMessage(stub.graph, "1", hi, live());
    await arrived.promise;
    await clock.advance(callTimeoutMs);
    expect(await result).toMatchObject({ failure: { retry: "ambiguous", code: "timeout" } });
    expect(clock.pending).toBe(0);
  });

  test("an answer ends the waiting for it", async () => {
    const clock = fakeClock();
    await using stub = graphStub(sent, { clock });
    expect(await sendMessage(stub.graph, "1", hi, live())).toMatchObject({ ok: true });
    expect(clock.pending).toBe(0);
  });

  test("stopped while under way is ambiguous, before it is not", async () => {
    const stop = new AbortController();
    await using stub = graphStub(() => {
      stop.abort(new Error("stopping"));
      return new Promise(() => {});
    });
    expect(await sendMessage(stub.graph, "1", hi, stop.signal)).toMatchObject({
      failure: { retry: "ambiguous", code: "aborted" },
    });
    expect(await sendMessage(stub.graph, "1", hi, stop.signal)).toMatchObject({
      failure: { retry: "unsent", code: "aborted" },
    });
    expect(stub.asked).toHaveLength(1);
  });
});

describe("markRead", () => {
  test.each([true, false])("typing %p", async (typing) => {
    await using stub = graphStub(() => Response.json({ success: true }));
    expect(await markRead(stub.graph, "106", "wamid.A", typing, live())).toBeNull();
    expect(stub.asked[0]?.json()).toEqual({
      messaging_product: "whatsapp",
      status: "read",
      message_id: "wamid.A",
      ...(typing ? { typing_indicator: { type: "text" } } : {}),
    });
  });
});
