import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { InboundEvent, MediaReference } from "../../../src/channels/message.ts";
import { createWatiSimulator, type WatiSimulator } from "../../../src/simulator/wati.ts";
import { startTarget, type Answer, type Target } from "../../net/target.ts";
import { never, wati } from "./support.ts";

const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, ...new Array<number>(64).fill(1)]);

const open: { close(): Promise<unknown> }[] = [];
let simulator: WatiSimulator;
beforeEach(async () => {
  simulator = createWatiSimulator();
  await simulator.start();
  open.push(simulator);
});
afterEach(async () => {
  for (const it of open.splice(0)) await it.close();
});

async function serve(answer: Answer): Promise<Target> {
  const target = await startTarget(answer);
  open.push(target);
  return target;
}

/** What the channel makes of the event that the simulator posts. */
async function arrive(
  send: () => Promise<unknown>,
  apiUrl = simulator.url,
): Promise<MediaReference> {
  const events: InboundEvent[] = [];
  const channel = wati({ api_url: apiUrl });
  await channel.start(async (batch) => void events.push(...batch));
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => channel.routes?.fetch(request) ?? new Response(null, { status: 599 }),
  });
  try {
    simulator.webhook.url = `http://127.0.0.1:${server.port}/wati`;
    await send();
  } finally {
    await server.stop(true);
  }
  const [first] = events;
  const media = first?.kind === "message" ? first.message.attachments[0] : undefined;
  if (!media) throw new Error("no file arrived");
  return media;
}

async function read(
  media: MediaReference,
  apiUrl = simulator.url,
): Promise<[string | null, Uint8Array]> {
  const got = await wati({ api_url: apiUrl }).openMedia(media, never);
  return [got.mimeType, new Uint8Array(await new Response(got.body).arrayBuffer())];
}

const image = { type: "image", bytes: jpeg, mimeType: "image/png", extension: "jpg" } as const;

function reference(source: MediaReference["source"]): MediaReference {
  return { kind: "image", mimeType: null, filename: null, size: null, durationSecs: null, source };
}

test("a file is read by its address, and its type by its bytes", async () => {
  const media = await arrive(() => simulator.sendMedia("15550001111", image));
  expect(await read(media)).toEqual(["image/jpeg", jpeg]);
  expect(simulator.requests.entries.at(-1)).toMatchObject({
    authorization: "Bearer wati-simulator-token",
  });
});

test("a file without an address is read by the message's id", async () => {
  const media = await arrive(() =>
    simulator.sendMedia("15550001111", { ...image, names: "nothing" }),
  );
  expect(await read(media)).toEqual(["image/jpeg", jpeg]);
  expect(simulator.requests.entries.at(-1)?.path).toStartWith(
    "/api/ext/v3/conversations/messages/file/",
  );
});

test("a bare path is read below the tenant, or by the message's id", async () => {
  const media = await arrive(() => simulator.sendMedia("15550001111", { ...image, names: "path" }));
  expect(await read(media)).toEqual(["image/jpeg", jpeg]);
  expect(await read(media, `${simulator.url}/${simulator.tenant}`)).toEqual(["image/jpeg", jpeg]);
  expect(simulator.requests.entries.at(-1)?.path).toBe(`/${simulator.tenant}/api/file/showFile`);
});

test("where WATI's id leads nowhere, WhatsApp's does", async () => {
  const media = await arrive(() =>
    simulator.sendMedia("15550001111", { ...image, names: "nothing" }),
  );
  expect(await read({ ...media, source: { ...media.source, id: "gone" } })).toEqual([
    "image/jpeg",
    jpeg,
  ]);
});

test("an address elsewhere is never asked; the message's id is", async () => {
  const evil = await serve((_, outgoing) => void outgoing.end(jpeg));
  const media = await arrive(() =>
    simulator.sendMedia("15550001111", image, { data: `${evil.url}/showFile?fileName=x.jpg` }),
  );
  expect(await read(media)).toEqual(["image/jpeg", jpeg]);
  expect(evil.connections).toBe(0);
  for (const url of [
    `${evil.url}/x`,
    simulator.url.replace("127.0.0.1", "localhost"),
    simulator.url.replace("http://", "http://u:p@"),
    simulator.url.replace("http://", "https://"),
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/x",
  ]) {
    await expect(
      read(reference({ url, path: null, id: null, whatsappId: null })),
    ).rejects.toMatchObject({
      code: "address_refused",
    });
  }
  expect(evil.connections).toBe(0);
});

test("redirects that leave the origin are refused and nobody sees the token", async () => {
  const evil = await serve((_, outgoing) => void outgoing.end(jpeg));
  const redirects = [
    `${evil.url}/x`,
    `${evil.url.replace("http:", "https:")}/x`,
    "http://169.254.169.254/latest/meta-data",
    "http://example.com/x",
    "file:///etc/passwd",
  ];
  for (const location of redirects) {
    const server = await serve((_, outgoing) => outgoing.writeHead(302, { location }).end());
    const media = reference({ url: `${server.url}/x`, path: null, id: "1", whatsappId: null });
    await expect(read(media, server.url)).rejects.toMatchObject({ code: "redirect_refused" });
  }
  expect(evil.connections).toBe(0);
});

test("an endless body, a lie about the length and a wrong type are refused", async () => {
  const cases: [string, Answer][] = [
    [
      "too_large",
      (_, outgoing) => {
        const chunk = Buffer.concat([jpeg, Buffer.alloc(1024 * 1024)]);
        const more = () => {
          while (outgoing.write(chunk));
        };
        outgoing.on("drain", more);
        more();
      },
    ],
    [
      "too_large",
      (_, outgoing) =>
        void outgoing.writeHead(200, { "content-length": 26 * 1024 * 1024 }).write("x"),
    ],
    [
      "media_type",
      (_, outgoing) =>
        void outgoing.writeHead(200, { "content-type": "image/jpeg" }).end("<html>no</html>"),
    ],
    ["status", (_, outgoing) => void outgoing.writeHead(500).end()],
    ["status", (_, outgoing) => void outgoing.writeHead(401).end()],
  ];
  for (const [code, answer] of cases) {
    const server = await serve(answer);
    const media = reference({ url: `${server.url}/x`, path: null, id: null, whatsappId: null });
    await expect(read(media, server.url)).rejects.toMatchObject({ code });
  }
});

test.each<[string, Answer, object]>([
  ["a refused token", (_, outgoing) => void outgoing.writeHead(401).end(), { status: 401 }],
  ["a pace too fast", (_, outgoing) => void outgoing.writeHead(429).end(), { status: 429 }],
  [
    "a file too large",
    (_, outgoing) =>
      void outgoing.writeHead(200, { "content-length": 26 * 1024 * 1024 }).write("x"),
    { code: "too_large" },
  ],
])("%s is not tried on every address", async (_name, answer, expected) => {
  const server = await serve(answer);
  const media = reference({ url: `${server.url}/x`, path: null, id: "1", whatsappId: "wamid.1" });
  await expect(read(media, server.url)).rejects.toMatchObject(expected);
  expect(server.seen).toHaveLength(1);
});

describe("a file that may lie in several places", () => {
  const byId = "/api/ext/v3/conversations/messages/file/1";
  const status = (code: number): Answer => {
    return (_, outgoing) => void outgoing.writeHead(code).end();
  };
  const elsewhere: Answer = (_, outgoing) =>
    outgoing.writeHead(302, { location: "http://192.0.2.1/" }).end();
  const page: Answer = (_, outgoing) => void outgoing.end("<html>no</html>");
  const file: Answer = (_, outgoing) => void outgoing.end(jpeg);
  const placed = async (at: Answer, id: Answer) =>
    serve((incoming, ...rest) => (incoming.url === byId ? id : at)(incoming, ...rest));

  test.each<[string, Answer]>([
    ["an address that is not there", status(404)],
    ["an address that leads elsewhere", elsewhere],
    ["an address of another file", page],
  ])("is asked for by its id after %s", async (_name, answer) => {
    const server = await placed(answer, file);
    const media = reference({ url: `${server.url}/x`, path: null, id: "1", whatsappId: null });
    expect(await read(media, server.url)).toEqual(["image/jpeg", jpeg]);
    expect(server.seen.map((it) => it.path)).toEqual(["/x", byId]);
  });

  test.each<[string, string | null, Answer, Answer, object]>([
    ["a foreign address", "https://evil.example/x", page, status(404), { code: "address_refused" }],
    ["no address at all", "https://", page, status(404), { code: "address_refused" }],
    ["what is not there by its id", null, page, status(404), { code: "status", status: 404 }],
    ["what is nowhere", "/x", status(404), status(404), { code: "status", status: 404 }],
    ["trouble with the id", "https://evil.example/x", page, status(500), { status: 500 }],
    ["trouble with the address", "/x", status(500), status(404), { status: 500 }],
    ["trouble with both", "/x", status(500), status(503), { status: 503 }],
  ])("is told missing for %s", async (_name, address, at, id, expected) => {
    const server = await placed(at, id);
    const url = address?.startsWith("/") ? server.url + address : address;
    const media = reference({ url, path: null, id: "1", whatsappId: null });
    await expect(read(media, server.url)).rejects.toMatchObject(expected);
  });

  test("is asked for below the tenant only by its path, and only where a tenant is known", async () => {
    const server = await placed(status(404), file);
    const asked = async (path: string | null, apiUrl: string) => {
      server.seen.splice(0);
      await read(reference({ url: null, path, id: "1", whatsappId: null }), apiUrl);
      return server.seen.map((it) => it.path);
    };
    expect(await asked("a/b.jpg", server.url)).toEqual([byId]);
    expect(await asked(null, `${server.url}/77`)).toEqual([byId]);
    const below = "/77/api/file/showFile?fileName=a%2Fb.jpg";
    expect(await asked("a/b.jpg", `${server.url}/77`)).toEqual([below, byId]);
  });

  test("that is named nowhere is refused in words", async () => {
    const media = reference({ url: null, path: null, id: null, whatsappId: null });
    await expect(read(media)).rejects.toThrow("the message names no file of WATI's");
  });
});

test("a stop is told as what stopped it", async () => {
  const stop = new AbortController();
  const server = await serve(() => stop.abort(new Error("the turn is over")));
  const media = reference({ url: `${server.url}/x`, path: null, id: null, whatsappId: null });
  const opened = wati({ api_url: server.url }).openMedia(media, stop.signal);
  await expect(opened).rejects.toThrow("the turn is over");
});

test("an id that would leave its folder is not asked for", async () => {
  const server = await serve((_, outgoing) => void outgoing.end(jpeg));
  const evil = reference({ url: null, path: null, id: "..", whatsappId: "../../../admin?x=" });
  await read(evil, server.url);
  expect(server.seen.map((it) => it.path)).toEqual([
    "/api/ext/v3/conversations/messages/file/..%2F..%2F..%2Fadmin%3Fx%3D",
  ]);
});

test("twins of one message name one file", async () => {
  simulator.variants = ["message", "message_bsuid"];
  const media = await arrive(() => simulator.sendMedia("15550001111", image, { bsuid: "US.1" }));
  expect(await read(media)).toEqual(["image/jpeg", jpeg]);
});
