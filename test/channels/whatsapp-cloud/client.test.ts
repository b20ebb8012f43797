import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Delivery, DeliveryContent, Recipient } from "../../../src/channels/message.ts";
import { markRead, sendMessage } from "../../../src/channels/whatsapp-cloud/client.ts";
import { callTimeoutMs } from "../../../src/channels/whatsapp-cloud/graph.ts";
import { createDispatchedFetch } from "../../../src/net/dispatched-fetch.ts";
import { fakeClock } from "../../support/clock.ts";
import { graphStub, live, refused, sent } from "./graph-stub.ts";

const ada: Recipient = { kind: "direct", phone: "+16505551234", userId: "US.1", lid: null };

function delivery(content: DeliveryContent, recipient: Recipient = ada): Delivery {
  return {
    id: "delivery-1",
    chat: { kind: "direct", id: "+16505551234" },
    recipient,
    content,
    attempt: 0,
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
      () => refused(400, { code: 131047, error_data: { details: "24 hours" } }),
      { retry: "no", code: "131047" },
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
      failure: { retry: "backoff", code: "ECONNREFUSED" },
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
      failure: { retry: "backoff", code: "aborted" },
    });
    expect(stub.asked).toHaveLength(1);
  });
});

describe("files", () => {
  async function folder() {
    const path = await mkdtemp(join(tmpdir(), "revka-media-"));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
  }
  type Media = Extract<DeliveryContent, { kind: "media" }>;
  const media = (over: Partial<Media>): Delivery =>
    delivery({
      kind: "media",
      media: "image",
      path: "",
      mimeType: "image/jpeg",
      filename: null,
      caption: null,
      durationSecs: null,
      ...over,
    });

  const rows: [string, Partial<Media>, object][] = [
    ["image", { caption: "Look" }, { type: "image", image: { id: "777", caption: "Look" } }],
    ["video", { media: "video", mimeType: "video/mp4" }, { type: "video", video: { id: "777" } }],
    [
      "audio",
      { media: "audio", mimeType: "audio/mpeg", caption: "dropped" },
      { type: "audio", audio: { id: "777" } },
    ],
    [
      "voice note",
      { media: "voice", mimeType: "audio/ogg; codecs=opus" },
      { type: "audio", audio: { id: "777", voice: true } },
    ],
    [
      "voice in another format",
      { media: "voice", mimeType: "audio/mpeg" },
      { type: "audio", audio: { id: "777" } },
    ],
    [
      "document",
      { media: "document", mimeType: "application/pdf", filename: "Offer.pdf", caption: "Read" },
      { type: "document", document: { id: "777", caption: "Read", filename: "Offer.pdf" } },
    ],
    [
      "document without a name",
      { media: "document", mimeType: "application/pdf" },
      { type: "document", document: { id: "777", filename: "a.bin" } },
    ],
    [
      "sticker",
      { media: "sticker", mimeType: "image/webp" },
      { type: "sticker", sticker: { id: "777" } },
    ],
  ];
  test.each(rows)("%s", async (_name, over, expected) => {
    await using dir = await folder();
    const path = join(dir.path, "a.bin");
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    await writeFile(path, bytes);
    await using stub = graphStub(({ path: at }) =>
      at.endsWith("/media") ? Response.json({ id: "777" }) : sent(),
    );
    const one = media({ ...over, path });
    expect(await sendMessage(stub.graph, "106", one, live())).toEqual({
      ok: true,
      platformId: "wamid.OUT",
    });
    const [upload, message] = stub.asked;
    expect(upload?.path).toBe("/v26.0/106/media");
    expect(upload?.headers.get("content-length")).toBe(String(upload?.body.length));
    const form = await new Response(upload?.body, { headers: upload?.headers ?? {} }).formData();
    expect([form.get("messaging_product"), form.get("type")]).toEqual([
      "whatsapp",
      (over.mimeType ?? "image/jpeg").split(";")[0] ?? "",
    ]);
    const file = form.get("file");
    if (!(file instanceof File)) throw new Error("no file");
    expect(file.name).toBe("file.bin");
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(bytes);
    expect(message?.json()).toEqual({
      messaging_product: "whatsapp",
      biz_opaque_callback_data: "delivery-1",
      recipient_type: "individual",
      to: "+16505551234",
      ...expected,
    });
  });

  test("keep their length through the fetch that proxies use", async () => {
    await using dir = await folder();
    const path = join(dir.path, "a.jpg");
    await writeFile(path, crypto.getRandomValues(new Uint8Array(200_000)));
    const dispatched = await createDispatchedFetch(null);
    await using stub = graphStub(
      ({ path: at }) => (at.endsWith("/media") ? Response.json({ id: "777" }) : sent()),
      { fetch: dispatched.fetch },
    );
    const result = await sendMessage(stub.graph, "1", media({ path }), live());
    await dispatched.close();
    expect(result).toEqual({ ok: true, platformId: "wamid.OUT" });
    const upload = stub.asked[0];
    expect(upload?.headers.get("content-length")).toBe(String(upload?.body.length));
    expect(upload?.headers.get("transfer-encoding")).toBeNull();
  });

  test("of many pieces arrive whole", async () => {
    await using dir = await folder();
    const path = join(dir.path, "a.mp4");
    await writeFile(path, crypto.getRandomValues(new Uint8Array(60_000)));
    await truncate(path, 3_000_001);
    await using stub = graphStub(({ path: at }) =>
      at.endsWith("/media") ? Response.json({ id: 777 }) : sent(),
    );
    expect(
      await sendMessage(
        stub.graph,
        "1",
        media({ media: "video", mimeType: "video/mp4", path }),
        live(),
      ),
    ).toMatchObject({ ok: true });
    const upload = stub.asked[0];
    const form = await new Response(upload?.body, { headers: upload?.headers ?? {} }).formData();
    const file = form.get("file");
    expect(file instanceof File && file.size).toBe(3_000_001);
  });

  const refusals: [string, Partial<Media>, number, string][] = [
    ["an image over 5 MB", {}, 5 * 1024 * 1024 + 1, "media_too_large"],
    [
      "an audio over 16 MB",
      { media: "audio", mimeType: "audio/mpeg" },
      16 * 1024 * 1024 + 1,
      "media_too_large",
    ],
    [
      "a sticker over 500 KB",
      { media: "sticker", mimeType: "image/webp" },
      500 * 1024 + 1,
      "media_too_large",
    ],
    ["a document over 100 MB", { media: "document" }, 100 * 1024 * 1024 + 1, "media_too_large"],
    ["an empty file", {}, 0, "media_empty"],
    ["a GIF as image", { mimeType: "image/gif" }, 10, "media_type"],
    ["a WAV as voice note", { media: "voice", mimeType: "audio/wav" }, 10, "media_type"],
  ];
  test.each(refusals)("not sent at all: %s", async (_name, over, size, code) => {
    await using dir = await folder();
    const path = join(dir.path, "a");
    await writeFile(path, "");
    await truncate(path, size);
    await using stub = graphStub(sent);
    expect(await sendMessage(stub.graph, "1", media({ ...over, path }), live())).toMatchObject({
      failure: { retry: "no", code },
    });
    expect(stub.asked).toEqual([]);
  });

  test("a missing file, a folder", async () => {
    await using dir = await folder();
    await using stub = graphStub(sent);
    for (const path of [join(dir.path, "none"), dir.path]) {
      expect(await sendMessage(stub.graph, "1", media({ path }), live())).toMatchObject({
        failure: { retry: "no", code: "media_missing" },
      });
    }
  });

  test("a lost upload leaves no doubt about the message", async () => {
    await using dir = await folder();
    const path = join(dir.path, "a.jpg");
    await writeFile(path, "x");
    await using stub = graphStub(() => new Response("oops", { status: 500 }));
    expect(await sendMessage(stub.graph, "1", media({ path }), live())).toMatchObject({
      failure: { retry: "backoff" },
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
