import { expect, test } from "bun:test";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Delivery, DeliveryContent } from "../../../src/channels/message.ts";
import { sendMessage } from "../../../src/channels/whatsapp-cloud/client.ts";
import { callTimeoutMs } from "../../../src/channels/whatsapp-cloud/graph.ts";
import { createDispatchedFetch } from "../../../src/net/dispatched-fetch.ts";
import { fakeClock } from "../../support/clock.ts";
import { graphStub, live, refused, sent } from "./graph-stub.ts";

async function folder() {
  const path = await mkdtemp(join(tmpdir(), "revka-media-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
type Media = Extract<DeliveryContent, { kind: "media" }>;
const media = (over: Partial<Media>): Delivery => ({
  id: "delivery-1",
  chat: { kind: "direct", id: "+16505551234" },
  recipient: { kind: "direct", phone: "+16505551234", userId: "US.1", lid: null },
  content: {
    kind: "media",
    media: "image",
    path: "",
    mimeType: "image/jpeg",
    filename: null,
    caption: null,
    durationSecs: null,
    ...over,
  },
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

test("a file of ten megabytes may take as long as a slow line needs for it", async () => {
  const clock = fakeClock();
  const arrived = Promise.withResolvers<void>();
  await using dir = await folder();
  const path = join(dir.path, "a");
  await writeFile(path, "");
  await truncate(path, 10 * 1024 * 1024);
  await using stub = graphStub(
    () => {
      arrived.resolve();
      return new Promise(() => {});
    },
    { clock },
  );
  const film = media({ media: "video", mimeType: "video/mp4", path });
  const result = sendMessage(stub.graph, "1", film, live());
  await arrived.promise;
  await clock.advance(callTimeoutMs + 40_000 - 1);
  expect(clock.pending).toBe(1);
  await clock.advance(1);
  expect(await result).toMatchObject({ failure: { retry: "backoff", code: "timeout" } });
});

test("an upload that Meta refuses is refused as a message is, and nothing is sent", async () => {
  await using dir = await folder();
  const path = join(dir.path, "without an ending");
  await writeFile(path, "x");
  const rows: [number, string][] = [
    [190, "hold"],
    [131053, "no"],
    [131056, "recipient"],
  ];
  for (const [code, retry] of rows) {
    await using stub = graphStub(() => refused(400, { code }));
    expect(await sendMessage(stub.graph, "1", media({ path }), live())).toMatchObject({
      failure: { retry, code: String(code) },
    } as object);
    expect(stub.asked.map((it) => it.path)).toEqual(["/v26.0/1/media"]);
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
