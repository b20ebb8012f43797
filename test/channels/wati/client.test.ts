import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeliveryContent } from "../../../src/channels/message.ts";
import { createWatiSimulator, type WatiSimulator } from "../../../src/simulator/wati.ts";
import { fakeClock } from "../../support/clock.ts";
import { delivery, never, text, wati } from "./support.ts";

let simulator: WatiSimulator;
let folder = "";
beforeEach(async () => {
  simulator = createWatiSimulator({ channels: ["17435002445"] });
  await simulator.start();
  folder = await mkdtemp(join(tmpdir(), "revka-wati-"));
});
afterEach(async () => {
  await simulator.close();
  await rm(folder, { recursive: true });
});

const channel = (more: object = {}) => wati({ api_url: simulator.url, ...more });

function media(path: string, more: object = {}): DeliveryContent {
  const content = { kind: "media", media: "document", path, mimeType: "application/pdf" } as const;
  return { ...content, filename: "report.pdf", caption: null, durationSecs: null, ...more };
}

test("text reaches a number, without its plus", async () => {
  const sent = await channel().send(delivery(text("hällo")), never);
  expect(simulator.received).toMatchObject([
    { kind: "text", target: "15550001111", text: "hällo" },
  ]);
  expect(sent).toEqual({ ok: true, platformId: simulator.received[0]?.id ?? "" });
  expect(simulator.requests.entries).toMatchObject([
    {
      path: "/api/ext/v3/conversations/messages/text",
      authorization: "Bearer wati-simulator-token",
      status: 200,
    },
  ]);
});

test("tenant_id stands before the number", async () => {
  await channel({ tenant_id: "17435002445" }).send(delivery(text("hi")), never);
  expect(simulator.received).toMatchObject([{ target: "17435002445:15550001111" }]);
});

test("an unknown tenant_id fails the delivery with what to do", async () => {
  const sent = await channel({ tenant_id: "elsewhere" }).send(delivery(text("hi")), never);
  expect(sent).toMatchObject({ ok: false, failure: { retry: "no", code: "404" } });
});

test("a BSUID is reached where no number is known", async () => {
  const recipient = {
    kind: "direct",
    phone: null,
    userId: "US.13491208655302741918",
    lid: null,
  } as const;
  await channel().send(delivery(text("hi"), { recipient }), never);
  expect(simulator.received).toMatchObject([{ person: "US.13491208655302741918" }]);
});

test("an address with the tenant in it works, since the tenant is left out", async () => {
  await wati({ api_url: `${simulator.url}/${simulator.tenant}` }).send(delivery(text("hi")), never);
  expect(simulator.received).toHaveLength(1);
});

test("a file goes as a form, with its name", async () => {
  const path = join(folder, "x");
  await writeFile(path, "%PDF-1.7 content");
  expect(await channel().send(delivery(media(path)), never)).toMatchObject({ ok: true });
  const [send] = simulator.received;
  expect(send).toMatchObject({
    kind: "file",
    target: "15550001111",
    text: "report.pdf",
    file: { name: "report.pdf", mimeType: "application/pdf" },
  });
  expect(new TextDecoder().decode(send?.file?.bytes)).toBe("%PDF-1.7 content");
});

test("a caption goes along; a picture without one has none", async () => {
  const path = join(folder, "x.png");
  await writeFile(path, "png");
  const image = { media: "image", mimeType: "image/png", filename: null };
  await channel().send(delivery(media(path, { ...image, caption: "look" })), never);
  await channel().send(delivery(media(path, image)), never);
  expect(simulator.received.map((it) => [it.file?.name, it.text])).toEqual([
    ["x.png", "look"],
    ["x.png", null],
  ]);
});

test("what cannot be sent is not tried", async () => {
  const empty = join(folder, "empty");
  await writeFile(empty, "");
  const large = join(folder, "large");
  await writeFile(large, "");
  await truncate(large, 6 * 1024 * 1024);
  const page = join(folder, "page");
  await writeFile(page, "%PDF-1.7");
  const image = { media: "image", mimeType: "image/png" };
  const group = { kind: "group", id: "g" } as const;
  const cases: [string, ReturnType<typeof delivery>, string][] = [
    ["a reaction", delivery({ kind: "reaction", targetId: "wamid.x", emoji: "👍" }), "unsupported"],
    ["an edit", delivery({ kind: "edit", targetId: "x", text: "y" }), "unsupported"],
    ["a revoke", delivery({ kind: "revoke", targetId: "x" }), "unsupported"],
    ["a group", delivery(text("hi"), { recipient: group }), "recipient"],
    ["a missing file", delivery(media(join(folder, "none"))), "media_missing"],
    ["a folder", delivery(media(folder)), "media_missing"],
    ["an empty file", delivery(media(empty)), "media_empty"],
    ["a picture of 6 MB", delivery(media(large, image)), "media_too_large"],
    ["a page as a picture", delivery(media(page, { media: "image" })), "media_type"],
  ];
  for (const [name, asked, code] of cases) {
    const sent = await channel().send(asked, never);
    expect([name, sent]).toMatchObject([name, { ok: false, failure: { retry: "no", code } }]);
  }
  expect(simulator.requests.entries).toEqual([]);
});

test("the id of what was sent is WATI's, else WhatsApp's, else none; a page is no answer", async () => {
  const rows: [answer: () => Response, sent: object][] = [
    [
      () => Response.json({ id: "c", message: { id: "m", whatsappMessageId: "w" } }),
      { ok: true, platformId: "m" },
    ],
    [
      () => Response.json({ id: "c", message: { whatsappMessageId: "w" } }),
      { ok: true, platformId: "w" },
    ],
    [() => Response.json({ id: "c" }), { ok: true, platformId: "c" }],
    [() => Response.json([]), { ok: true, platformId: null }],
    [() => new Response(null, { status: 204 }), { ok: true, platformId: null }],
    [() => new Response(" \n"), { ok: true, platformId: null }],
    [
      () => new Response("<html>Log in"),
      { ok: false, failure: { retry: "hold", code: "foreign_answer" } },
    ],
  ];
  for (const [answer, expected] of rows) {
    const sent = await wati({}, { fetch: async () => answer() }).send(delivery(text("hi")), never);
    expect(sent).toMatchObject(expected);
  }
});

test("a text is sent as JSON", async () => {
  const asked: (string | null)[] = [];
  const fetch = async (_: string | URL, init?: RequestInit) => {
    asked.push(new Headers(init?.headers).get("content-type"));
    return Response.json({});
  };
  await wati({}, { fetch }).send(delivery(text("hi")), never);
  expect(asked).toEqual(["application/json"]);
});

test("a token that an answer repeats is not told", async () => {
  const fetch = async () => Response.json({ message: "No key-77 here" }, { status: 400 });
  const sent = await wati({ api_token: "key-77" }, { fetch }).send(delivery(text("hi")), never);
  expect(JSON.stringify(sent)).not.toContain("key-77");
  expect(sent).toMatchObject({ failure: { hint: expect.stringMatching(/No .+ here/) } });
});

describe("faults", () => {
  test("a wrong token holds", async () => {
    const sent = await channel({ api_token: "wrong" }).send(delivery(text("hi")), never);
    expect(sent).toMatchObject({ ok: false, failure: { retry: "hold", code: "401" } });
    expect(JSON.stringify(sent)).not.toContain("wrong");
  });

  test("a rate limit waits as long as WATI wishes", async () => {
    simulator.faults.add({ effect: { kind: "http", status: 429, retryAfterSecs: 3 }, times: 1 });
    expect(await channel().send(delivery(text("hi")), never)).toMatchObject({
      failure: { retry: "backoff", code: "429", afterMs: 3000 },
    });
    expect(await channel().send(delivery(text("hi")), never)).toMatchObject({ ok: true });
  });

  test("several conversations name tenant_id", async () => {
    simulator.faults.add({ effect: { kind: "http", status: 409, body: { message: "multiple" } } });
    const sent = await channel().send(delivery(text("hi")), never);
    expect(sent).toMatchObject({ failure: { retry: "no", code: "409" } });
    expect(JSON.stringify(sent)).toContain("tenant_id");
  });

  test("a lost answer and a 500 leave it open whether it was taken", async () => {
    simulator.faults.add({ effect: { kind: "lose-answer" }, times: 1 });
    expect(await channel().send(delivery(text("hi")), never)).toMatchObject({
      failure: { retry: "ambiguous" },
    });
    expect(simulator.received).toHaveLength(1);
    simulator.faults.add({ effect: { kind: "http", status: 500 }, times: 1 });
    expect(await channel().send(delivery(text("hi")), never)).toMatchObject({
      failure: { retry: "ambiguous", code: "500" },
    });
  });

  test("an answer that does not come is given up", async () => {
    const clock = fakeClock();
    simulator.faults.add({ effect: { kind: "hang" } });
    const made = wati({ api_url: simulator.url }, { clock });
    const sending = made.send(delivery(text("hi")), never);
    await simulator.requests.waitFor();
    await clock.advance(30_000);
    expect(await sending).toMatchObject({ failure: { retry: "ambiguous", code: "timeout" } });
  });

  test("a file of ten megabytes may take as long as a slow line needs for it", async () => {
    const clock = fakeClock();
    const path = join(folder, "x.pdf");
    await writeFile(path, "");
    await truncate(path, 10 * 1024 * 1024);
    simulator.faults.add({ effect: { kind: "hang" } });
    const made = wati({ api_url: simulator.url }, { clock });
    const sending = made.send(delivery(media(path)), never);
    await simulator.requests.waitFor();
    await clock.advance(70_000 - 1);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await sending).toMatchObject({ failure: { retry: "ambiguous", code: "timeout" } });
  });

  test("an answer ends the waiting for it", async () => {
    const clock = fakeClock();
    const sent = await wati({ api_url: simulator.url }, { clock }).send(
      delivery(text("hi")),
      never,
    );
    expect([sent.ok, clock.pending]).toEqual([true, 0]);
  });

  test("a stop of ours ends a send", async () => {
    const stopping = new AbortController();
    simulator.faults.add({ effect: { kind: "hang" } });
    const sending = channel().send(delivery(text("hi")), stopping.signal);
    await simulator.requests.waitFor();
    stopping.abort();
    expect(await sending).toMatchObject({ failure: { retry: "ambiguous", code: "aborted" } });
    expect(await channel().send(delivery(text("hi")), stopping.signal)).toMatchObject({
      failure: { retry: "unsent" },
    });
  });

  test("nobody there is tried again later", async () => {
    const made = channel();
    await simulator.close();
    expect(await made.send(delivery(text("hi")), never)).toMatchObject({
      failure: { retry: "unsent" },
    });
    await simulator.start();
  });

  test("a redirect is not followed, and nobody sees the token", async () => {
    const evil = createWatiSimulator();
    await evil.start();
    const redirecting = createWatiSimulator();
    await redirecting.start();
    try {
      const fetch = (url: string | URL, init?: RequestInit) =>
        init?.redirect === "manual"
          ? Promise.resolve(
              new Response(null, { status: 307, headers: { location: `${evil.url}/x` } }),
            )
          : globalThis.fetch(url, init);
      const sent = await wati({ api_url: redirecting.url }, { fetch }).send(
        delivery(text("hi")),
        never,
      );
      expect(sent).toMatchObject({ failure: { code: "foreign_answer" } });
      expect(evil.requests.entries).toEqual([]);
    } finally {
      await evil.close();
      await redirecting.close();
    }
  });
});

test("the probe says whether sending is possible, and changes nothing", async () => {
  expect(await channel().probe(never)).toBeNull();
  expect(await channel({ api_token: "wrong" }).probe(never)).toMatchObject({
    retry: "hold",
    code: "401",
  });
  simulator.faults.add({ on: "probe", effect: { kind: "http", status: 500 } });
  expect(await channel().probe(never)).toMatchObject({ retry: "hold", code: "500" });
  simulator.faults.clear();
  simulator.faults.add({ on: "probe", effect: { kind: "http", status: 404 } });
  expect(await channel().probe(never)).toMatchObject({ retry: "no" });
  expect(simulator.received).toEqual([]);
});

test.each<[string, () => Response, object]>([
  ["no such question", () => Response.json({ message: "?" }, { status: 404 }), { retry: "no" }],
  ["no such address", () => new Response("<html>", { status: 404 }), { retry: "no" }],
  ["a page", () => new Response("<html>Log in"), { retry: "hold", code: "foreign_answer" }],
])("a probe answered with %s", async (_name, answer, expected) => {
  expect(await wati({}, { fetch: async () => answer() }).probe(never)).toMatchObject(expected);
});

test("long text is split, Markdown is put into WhatsApp's words", () => {
  const texts = channel().renderText(`**bold** ${"word ".repeat(2000)}`);
  expect(texts.length).toBeGreaterThan(1);
  expect(texts.every((it) => it.length <= 4096)).toBe(true);
  expect(texts[0]).toStartWith("*bold*");
});

test("a repeated send is a second message, so what became of the first is asked", () => {
  const made = channel();
  expect(made).toMatchObject({ name: "wati", backend: "wati", repeat: "ask", graceMs: 2_000 });
  expect(made.askPace).toEqual({ perSecond: 1, recipientIntervalMs: 1_000, recipientBurst: 1 });
});
