import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { startGraphSimulator, type GraphSimulator } from "../../src/simulator/graph.ts";

const token = "EAAtest";
const number = "1060000000000001";
let graph: GraphSimulator;

beforeAll(async () => {
  graph = await startGraphSimulator({ account: { accessToken: token } });
});
beforeEach(() => {
  graph.records.clear();
  graph.faults.clear();
  graph.limit({});
});
afterAll(() => graph.stop());

function call(path: string, body?: unknown, bearer: string | null = token): Promise<Response> {
  return fetch(graph.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const path = `/v26.0/${number}/messages`;
const base = { messaging_product: "whatsapp", to: "+15550001111" };
const hello = { ...base, type: "text", text: { body: "hello" } };

test("a good text is accepted with a wamid and recorded", async () => {
  const answer = await call(path, { ...hello, biz_opaque_callback_data: "d1" });
  expect(answer.status).toBe(200);
  const body = await answer.json();
  expect(body).toEqual({
    messaging_product: "whatsapp",
    contacts: [{ input: "+15550001111", wa_id: "15550001111" }],
    messages: [{ id: expect.stringMatching(/^wamid\.[A-Za-z0-9+/=]{20,123}$/) }],
  });
  const [sent] = graph.records.sentTo("+15550001111");
  expect(sent).toMatchObject({
    outcome: "accepted",
    text: "hello",
    callbackData: "d1",
    version: "v26.0",
  });
});

const refusals: [string, unknown, number][] = [
  ["no messaging_product", { to: "1555000111", type: "text", text: { body: "x" } }, 100],
  ["no recipient", { messaging_product: "whatsapp", type: "text", text: { body: "x" } }, 100],
  ["a recipient that is no number", { ...hello, to: "nobody" }, 131009],
  ["a recipient_type of its own", { ...hello, recipient_type: "crowd" }, 100],
  ["a text over 4096 characters", { ...base, type: "text", text: { body: "x".repeat(4097) } }, 100],
  ["an empty text", { ...base, type: "text", text: { body: "" } }, 100],
  ["a text with a strange key", { ...base, type: "text", text: { body: "x", bold: true } }, 100],
  ["an unknown type", { ...base, type: "poll", poll: {} }, 100],
  [
    "callback data over 512 characters",
    { ...hello, biz_opaque_callback_data: "x".repeat(513) },
    100,
  ],
  ["a context without an id", { ...hello, context: {} }, 131009],
  [
    "a reaction of letters",
    { ...base, type: "reaction", reaction: { message_id: "w", emoji: "ok" } },
    131009,
  ],
  ["a media id that was never uploaded", { ...base, type: "image", image: { id: "99" } }, 131009],
  [
    "media with id and link",
    { ...base, type: "image", image: { id: "9", link: "https://x" } },
    131009,
  ],
  [
    "a caption over 1024",
    { ...base, type: "image", image: { link: "https://x", caption: "x".repeat(1025) } },
    100,
  ],
  [
    "a reaction to a group",
    {
      messaging_product: "whatsapp",
      recipient_type: "group",
      to: "G1",
      type: "reaction",
      reaction: { message_id: "w", emoji: "👍" },
    },
    131051,
  ],
  [
    "a BSUID of the wrong form",
    { messaging_product: "whatsapp", recipient: "ada", type: "text", text: { body: "x" } },
    100,
  ],
  [
    "typing of another kind",
    {
      messaging_product: "whatsapp",
      status: "read",
      message_id: "w",
      typing_indicator: { type: "audio" },
    },
    100,
  ],
];
for (const [name, body, code] of refusals) {
  test(`refuses ${name} with ${code}`, async () => {
    const answer = await call(path, body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: {
        code,
        type: "OAuthException",
        message: expect.any(String),
        fbtrace_id: expect.any(String),
      },
    });
    expect(graph.records.sends.entries.every((send) => send.wamid === null)).toBe(true);
  });
}

const accepted: [string, Record<string, unknown>, string][] = [
  ["4096 characters", { ...base, type: "text", text: { body: "x".repeat(4096) } }, "15550001111"],
  [
    "a BSUID in recipient",
    {
      messaging_product: "whatsapp",
      recipient: "US.13491208655302741918",
      type: "text",
      text: { body: "x" },
    },
    "US.13491208655302741918",
  ],
  ["`to` over `recipient`", { ...hello, recipient: "US.1" }, "15550001111"],
  [
    "a group",
    {
      messaging_product: "whatsapp",
      recipient_type: "group",
      to: "Y2FwaV9ncm91cA",
      type: "text",
      text: { body: "x" },
    },
    "Y2FwaV9ncm91cA",
  ],
  [
    "a reaction taken back",
    { ...base, type: "reaction", reaction: { message_id: "w", emoji: "" } },
    "15550001111",
  ],
  ["a quote", { ...hello, context: { message_id: "wamid.abc" } }, "15550001111"],
];
for (const [name, body, recipient] of accepted) {
  test(`accepts ${name}`, async () => {
    expect((await call(path, body)).status).toBe(200);
    expect(graph.records.sentTo(recipient)).toHaveLength(1);
  });
}

test("a wrong or missing token, number or version is refused as Graph does", async () => {
  const wrong = await call(path, hello, "EAAother");
  expect(wrong.status).toBe(401);
  expect(await wrong.json()).toMatchObject({ error: { code: 190 } });
  expect((await call(path, hello, null)).status).toBe(401);
  const other = await call("/v26.0/999/messages", hello);
  expect(await other.json()).toMatchObject({
    error: { code: 100, error_subcode: 33, type: "GraphMethodException" },
  });
  expect(await (await call(`/v99.0/${number}/messages`, hello)).json()).toMatchObject({
    error: { code: 2500 },
  });
  expect(await (await call(`/${number}/messages`, hello)).json()).toMatchObject({
    error: { code: 2500 },
  });
  expect(graph.records.sends.entries).toHaveLength(0);
});

test("read with typing is recorded, and whether the message is known", async () => {
  const id = graph.write({
    from: { phone: "15550001111" },
    content: { type: "text", text: { body: "x" } },
  });
  for (const message_id of [id, "wamid.foreign"]) {
    const body = {
      messaging_product: "whatsapp",
      status: "read",
      message_id,
      typing_indicator: { type: "text" },
    };
    expect(await (await call(path, body)).json()).toEqual({ success: true });
  }
  expect(graph.records.reads.entries).toMatchObject([
    { messageId: id, typing: true, known: true },
    { messageId: "wamid.foreign", typing: true, known: false },
  ]);
});

test("media goes up, is described, comes down with the bearer only, and can be sent", async () => {
  const form = new FormData();
  form.set("messaging_product", "whatsapp");
  form.set("type", "audio/ogg");
  form.set("file", new File(["OggS…"], "voice.ogg", { type: "audio/ogg" }));
  const authorization = `Bearer ${token}`;
  const upload = await fetch(`${graph.url}/v26.0/${number}/media`, {
    method: "POST",
    headers: { authorization },
    body: form,
  });
  expect(upload.status).toBe(200);
  const { id } = (await upload.json()) as { id: string };
  const info = (await (await call(`/v26.0/${id}?phone_number_id=${number}`)).json()) as {
    url: string;
  };
  expect(info).toMatchObject({ id, mime_type: "audio/ogg", file_size: "7" });
  expect((await fetch(info.url)).status).toBe(401);
  const bytes = await fetch(info.url, { headers: { authorization } });
  expect(await bytes.text()).toBe("OggS…");
  const send = { ...base, type: "audio", audio: { id, voice: true } };
  expect((await call(path, send)).status).toBe(200);
  const tooBig = new FormData();
  tooBig.set("messaging_product", "whatsapp");
  tooBig.set(
    "file",
    new File([new Uint8Array(5 * 1024 * 1024 + 1)], "x.png", { type: "image/png" }),
  );
  const refused = await fetch(`${graph.url}/v26.0/${number}/media`, {
    method: "POST",
    headers: { authorization },
    body: tooBig,
  });
  expect(await refused.json()).toMatchObject({ error: { code: 131053 } });
});

test("the objects that a doctor asks for", async () => {
  const account = graph.account.businessAccountId;
  const info = await (await call(`/v26.0/${number}?fields=display_phone_number`)).json();
  expect(info).toEqual({ display_phone_number: "15550783881", id: number });
  expect(await (await call(`/v26.0/debug_token?input_token=${token}`)).json()).toMatchObject({
    data: { is_valid: true, granular_scopes: [{ target_ids: [account] }, {}] },
  });
  const apps = await (await call(`/v26.0/${account}/subscribed_apps`)).json();
  expect(apps).toMatchObject({
    data: [{ whatsapp_business_api_data: { id: graph.account.appId } }],
  });
  const answer = await call(`/v18.0/${number}`);
  expect(answer.headers.get("facebook-api-version")).toBe("v21.0");
});

test("pair rate and throughput limits", async () => {
  graph.limit({ pair: { everyMs: 60_000, burst: 2 } });
  const codes: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const body = (await (await call(path, hello)).json()) as { error?: { code: number } };
    codes.push(body.error?.code);
  }
  expect(codes).toEqual([undefined, undefined, 131056]);
  expect((await call(path, { ...hello, to: "15550002222" })).status).toBe(200);
  graph.limit({ perSecond: 0 });
  const body = await (await call(path, hello)).json();
  expect(body).toMatchObject({ error: { code: 130429 } });
});

test("a proof is of the token, made with the app secret, and another is refused as Meta refuses it", async () => {
  const proven = (secret: string) => {
    const proof = new Bun.CryptoHasher("sha256", secret).update(token).digest("hex");
    return call(`/v26.0/${number}?fields=id&appsecret_proof=${proof}`);
  };
  expect(await (await proven(graph.account.appSecret)).json()).toEqual({ id: number });
  const wrong = await proven("another-secret");
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({
    error: { code: 100, message: "Invalid appsecret_proof provided in the API argument" },
  });
});
