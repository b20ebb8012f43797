import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { DeliveryContent } from "../../../src/channels/message.ts";
import { createWatiSimulator, type WatiSimulator } from "../../../src/simulator/wati.ts";
import { fakeClock } from "../../support/clock.ts";
import { delivery, never, text, wati } from "./support.ts";

const began = 1_700_000_000_000;
const media = (kind: "image" | "voice" | "document", caption: string | null): DeliveryContent => ({
  kind: "media",
  media: kind,
  path: "/nowhere",
  mimeType: "application/octet-stream",
  filename: "offer.pdf",
  caption,
  durationSecs: null,
});

describe("what WATI lists", () => {
  let items: unknown;
  let raw: string | null;
  let date: string | null;
  let asked: string[];
  let server: Bun.Server<undefined>;
  beforeEach(() => {
    asked = [];
    raw = null;
    date = new Date(began).toUTCString();
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        asked.push(`${request.method} ${request.url.slice(server.url.href.length)}`);
        const answer = raw === null ? Response.json({ message_list: items }) : new Response(raw);
        if (date !== null) answer.headers.set("date", date);
        return answer;
      },
    });
  });
  afterEach(() => server.stop(true));

  const find = (content: DeliveryContent, since = began) =>
    wati({ api_url: server.url.href, tenant_id: "123" }, { clock: fakeClock(began) }).findSent?.(
      delivery(content),
      since,
      never,
    );
  const item = (changes: object) => ({
    id: "a",
    owner: true,
    type: "text",
    text: "hi",
    status: "SENT",
    timestamp: new Date(began + 500).toISOString(),
    ...changes,
  });

  test("is asked of the same target, the newest first", async () => {
    items = [];
    expect(await find(text("hi"))).toEqual({ ok: true, found: [] });
    expect(asked).toEqual([
      "GET api/ext/v3/conversations/123%3A15550001111/messages?page_number=1&page_size=50",
    ]);
  });

  const cases: [string, DeliveryContent, object, boolean][] = [
    ["the same text", text("hi"), {}, true],
    ["with other white space", text("a  b  c\n"), { text: "a b c" }, true],
    ["another text", text("hi"), { text: "hi!" }, false],
    ["no words", text("hi"), { text: null }, false],
    ["what the customer wrote", text("hi"), { owner: false }, false],
    ["nobody says whose", text("hi"), { owner: null }, false],
    ["a failed one", text("hi"), { status: "FAILED" }, false],
    ["a kind in capitals", text("hi"), { type: "TEXT" }, true],
    ["what has no kind", text("hi"), { type: null }, false],
    ["a ticket's note", text("hi"), { type: "ticket" }, false],
    ["one of before", text("hi"), { timestamp: new Date(began - 6_000).toISOString() }, false],
    ["one of just before", text("hi"), { timestamp: new Date(began - 4_000).toISOString() }, true],
    ["its time as seconds", text("hi"), { timestamp: `${began / 1000}` }, true],
    [
      "`created` alone",
      text("hi"),
      { timestamp: null, created: new Date(began).toISOString() },
      true,
    ],
    ["no time", text("hi"), { timestamp: null }, false],
    ["a picture and its caption", media("image", "look"), { type: "image", text: "look" }, true],
    ["another caption", media("image", "look"), { type: "image", text: "hi" }, false],
    ["a picture without words", media("image", null), { type: "image", text: null }, true],
    ["a document by another name", media("document", "c"), { type: "document" }, true],
    ["a voice note as sound", media("voice", null), { type: "audio", text: null }, true],
    ["a voice note by that name", media("voice", null), { type: "voice", text: null }, true],
    ["sound for a picture", media("image", null), { type: "audio", text: null }, false],
    ["a reaction", { kind: "reaction", targetId: "w", emoji: "👍" }, {}, false],
  ];
  test.each(cases)("%s", async (_, content, changes, fits) => {
    items = [item(changes)];
    expect(await find(content)).toEqual({ ok: true, found: fits ? [["a"]] : [] });
  });

  test("is read whole where fifty of the longest messages are listed, every letter escaped", async () => {
    const long = "\\u0905".repeat(4_096);
    const one = JSON.stringify(item({ text: "?" })).replace('"?"', `"${long}"`);
    raw = `{"message_list":[${Array.from({ length: 49 }, () => one)},${JSON.stringify(item({}))}]}`;
    expect(await find(text("hi"))).toEqual({ ok: true, found: [["a"]] });
  });

  test("is not asked for whom WATI cannot reach", async () => {
    const recipient = { kind: "group", id: "g" } as const;
    const channel = wati({ api_url: server.url.href });
    const answer = await channel.findSent?.(delivery(text("hi"), { recipient }), began, never);
    expect([answer, asked]).toMatchObject([{ ok: false, failure: { retry: "no" } }, []]);
  });

  test("with all the ids it has", async () => {
    items = [
      item({ whatsapp_message_id: "wamid.a", local_message_id: "l" }),
      item({ id: null, whatsappMessageId: "wamid.b" }),
      item({ id: null }),
    ];
    expect(await find(text("hi"))).toEqual({
      ok: true,
      found: [["a", "wamid.a", "l"], ["wamid.b"]],
    });
  });

  test("a clock of ours that is an hour ahead, or behind, does not matter", async () => {
    for (const hour of [-3_600_000, 3_600_000]) {
      date = new Date(began - hour).toUTCString();
      items = [item({ timestamp: new Date(began - hour + 500).toISOString() })];
      expect(await find(text("hi"))).toEqual({ ok: true, found: [["a"]] });
      items = [item({ timestamp: new Date(began - hour - 60_000).toISOString() })];
      expect(await find(text("hi"))).toEqual({ ok: true, found: [] });
    }
  });

  test("where WATI does not tell its time, ours counts", async () => {
    const fetch = async () => Response.json({ message_list: [item({})] });
    const channel = wati({}, { clock: fakeClock(began), fetch });
    const since = (at: number) => channel.findSent?.(delivery(text("hi")), at, never);
    expect(await since(began)).toEqual({ ok: true, found: [["a"]] });
    expect(await since(began + 60_000)).toEqual({ ok: true, found: [] });
  });

  test.each([["no list"], [{ a: 1 }], [null]])("%p tells nothing", async (body) => {
    items = body;
    expect(await find(text("hi"))).toMatchObject({ ok: false, failure: { retry: "no" } });
  });
});

describe("WATI", () => {
  let simulator: WatiSimulator;
  beforeEach(async () => {
    simulator = createWatiSimulator();
    await simulator.start();
  });
  afterEach(() => simulator.close());
  const find = (phone = "+15550001111") =>
    wati({ api_url: simulator.url }).findSent?.(
      delivery(text("hi"), { recipient: { kind: "direct", phone, userId: null, lid: null } }),
      Date.now(),
      never,
    );

  test("tells of a send whose answer was lost, by the id that the answer had", async () => {
    simulator.faults.add({ effect: { kind: "lose-answer" }, times: 1 });
    await wati({ api_url: simulator.url }).send(delivery(text("hi")), never);
    const [taken] = simulator.received;
    expect(await find()).toEqual({ ok: true, found: [[taken!.id, taken!.wamid]] });
    expect(await find("+15550002222")).toEqual({ ok: true, found: [] });
  });

  test.each([
    [404, "no"],
    [403, "no"],
    [401, "hold"],
    [429, "backoff"],
    [500, "ambiguous"],
  ] as const)("%d means %s", async (status, retry) => {
    simulator.faults.add({ effect: { kind: "http", status }, on: "history" });
    expect(await find()).toMatchObject({ ok: false, failure: { retry } });
  });

  test("a token that may not read says which scope it lacks", async () => {
    simulator.faults.add({ effect: { kind: "http", status: 403 }, on: "history" });
    expect(await find()).toMatchObject({
      failure: { code: "403", hint: expect.stringContaining("conversationsv3:read") },
    });
  });
});
