import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { Channel } from "../../../src/channels/channel.ts";
import type {
  Delivery,
  DeliveryContent,
  InboundEvent,
  Message,
} from "../../../src/channels/message.ts";
import { createWhatsAppCloud } from "../../../src/channels/whatsapp-cloud/channel.ts";
import { whatsappSchema } from "../../../src/config/schema.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { startGraphSimulator, type GraphSimulator } from "../../../src/simulator/graph.ts";
import { content } from "../../../src/simulator/graph/content.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

/** The channel behind a real socket, with the stand-in for Meta at the other end of both directions. */

let graph: GraphSimulator;
let channel: Channel;
let server: Bun.Server<undefined>;
let folder: string;
const events: InboundEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "revka-cloud-"));
  graph = await startGraphSimulator();
  channel = createWhatsAppCloud({
    config: v.parse(whatsappSchema, {
      access_token: graph.account.accessToken,
      phone_number_id: graph.account.phoneNumberId,
      verify_token: graph.account.verifyToken,
      graph_api_version: "v26.0",
      api_base_url: graph.url,
    }),
    readReceipts: true,
    typing: true,
    appSecret: graph.account.appSecret,
    fetch: (url, init) => fetch(url, init),
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  });
  await channel.start(async (batch) => void events.push(...batch));
  const { routes } = channel;
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => routes?.fetch(request) ?? new Response(null, { status: 404 }),
  });
  graph.settings.webhooks.url = `http://127.0.0.1:${server.port}/whatsapp`;
});

afterAll(async () => {
  await channel.stop();
  await graph.stop();
  await server.stop(true);
  await rm(folder, { recursive: true });
});

function delivery(id: string, content: DeliveryContent): Delivery {
  const recipient = { kind: "direct", phone: "+15550001111", userId: null, lid: null } as const;
  return { id, chat: { kind: "direct", id: "+15550001111" }, recipient, content };
}

const signal = () => new AbortController().signal;

async function received(send: () => void): Promise<Message> {
  events.length = 0;
  send();
  await graph.idle();
  const [message] = events.flatMap((event) => (event.kind === "message" ? [event.message] : []));
  if (!message) throw new Error("no message");
  return message;
}

test("the handshake", async () => {
  expect(await graph.handshake()).toMatchObject({ status: 200, verified: true });
});

test("a message comes in signed, is marked read, and gets an answer whose statuses name our delivery", async () => {
  const message = await received(() =>
    graph.write({
      from: { phone: "+15550001111", name: "Ada" },
      content: content.text("Hi"),
    }),
  );
  expect(message).toMatchObject({
    text: "Hi",
    sender: { phone: "+15550001111", name: "Ada" },
  } as never);

  channel.turnStarted({
    chat: { kind: "direct", id: "+15550001111" },
    recipient: { kind: "direct", phone: "+15550001111", userId: null, lid: null },
    messages: [{ id: message.id, sender: message.sender }],
  });
  const [read] = await graph.records.reads.waitFor({});
  expect(read).toMatchObject({ messageId: message.id, typing: true, known: true });

  events.length = 0;
  const sent = await channel.send(
    delivery("d-1", { kind: "text", text: "Hello", quote: message.id }),
    signal(),
  );
  if (!sent.ok || sent.platformId === null) throw new Error(JSON.stringify(sent));
  await graph.idle();
  const statuses = events.flatMap((event) => (event.kind === "status" ? [event.status] : []));
  expect(
    statuses.map(({ platformId, deliveryId, state }) => [platformId, deliveryId, state]),
  ).toEqual([
    [sent.platformId, "d-1", "sent"],
    [sent.platformId, "d-1", "delivered"],
  ]);
  expect(graph.records.sentTo("+15550001111").at(-1)).toMatchObject({
    input: "+15550001111",
    quote: message.id,
  });
});

test("files, in and out", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(300_000));
  const message = await received(() =>
    graph.write({
      from: { phone: "+15550001111" },
      content: content.image(graph.file(bytes, "image/jpeg"), "Look"),
    }),
  );
  const [attachment] = message.attachments;
  if (!attachment) throw new Error("no attachment");
  const opened = await channel.openMedia(attachment, signal());
  expect(new Uint8Array(await new Response(opened.body).arrayBuffer())).toEqual(bytes);
  expect(opened.mimeType).toBe("image/jpeg");

  const path = join(folder, "photo.jpg");
  await writeFile(path, bytes);
  const media = {
    kind: "media",
    media: "image",
    path,
    mimeType: "image/jpeg",
    filename: null,
    caption: "Back",
    durationSecs: null,
  } as const;
  expect(await channel.send(delivery("d-2", media), signal())).toMatchObject({ ok: true });
  expect(graph.records.sentTo("+15550001111").at(-1)).toMatchObject({
    type: "image",
    text: "Back",
  });
});

test("the probe", async () => {
  expect(await channel.probe(signal())).toBeNull();
  expect(channel.status()).toMatchObject({ state: "ready", linkedAs: "+15550783881" });
});

/** Speaks HTTP by hand, so that nothing corrects the request; resolves with what came back until the end. */
function raw(head: string, chunks: (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(server.port ?? 0, "127.0.0.1", () => {
      socket.write(head);
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.on("data", (data) => {
      answer += data;
      if (answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", (error) => (answer === "" ? reject(error) : resolve(answer)));
    socket.on("close", () => resolve(answer));
  });
}

test("a declared length over the limit is refused before the body comes", async () => {
  const head = "POST /whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n";
  expect(await raw(head, [])).toStartWith("HTTP/1.1 413");
});

test("chunks without end are refused at the limit", async () => {
  const head = "POST /whatsapp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const chunk = `${(1 << 20).toString(16)}\r\n${"x".repeat(1 << 20)}\r\n`;
  expect(await raw(head, [chunk, chunk, chunk, chunk, chunk])).toStartWith("HTTP/1.1 413");
});
