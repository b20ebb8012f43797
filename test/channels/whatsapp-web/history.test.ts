import { afterEach, describe, expect, test } from "bun:test";
import { deflateSync } from "node:zlib";
import { proto } from "@whiskeysockets/baileys";
import { PAUSE_MS } from "../../../src/channels/whatsapp-web/history-reader.ts";
import type { Fetch } from "../../../src/net/fetch.ts";
import { type LogFields, silentLog } from "../../../src/telemetry/log.ts";
import { type HistoryChunk, sendHistoryChunk } from "../../doubles/whatsapp-web/history.ts";
import type { Phone } from "../../doubles/whatsapp-web/phone.ts";
import { Recorder } from "../../doubles/whatsapp-web/recorder.ts";
import { Harness, type HarnessOptions, heldClock, impatientClock } from "./harness.ts";

// What a phone uploads of its history: read for LIDs and for who trusts the account, and for nothing else.

const { FULL, PUSH_NAME, RECENT, INITIAL_BOOTSTRAP } = proto.Message.HistorySyncType;
const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);

let h: Harness;
/** What was said of chunks. */
let said: Recorder<LogFields>;
/** Of the last download. */
let lastSignal: AbortSignal | null | undefined;
afterEach(() => h.stop());

async function linked(setup: HarnessOptions = {}): Promise<void> {
  said = new Recorder<LogFields>("word on the history");
  const note = (fields: LogFields, words: string) => {
    if (words.includes("history")) said.add(fields);
  };
  const log = { ...silentLog, debug: note, info: note, warn: note };
  const ask: Fetch = (url, init) => {
    lastSignal = init?.signal;
    return fetch(url, { ...init, tls: { rejectUnauthorized: false } });
  };
  h = await Harness.linked({ ...setup, options: { log, fetch: ask } });
  // What the phone sends with the link says nothing.
  expect(await said.waitFor()).toMatchObject({ lids: 0, tokens: 0 });
  said.clear();
}

function upload(chunk: HistoryChunk, phone = h.owner) {
  const [companion] = h.owner.companions;
  if (!companion) throw new Error("not linked");
  return sendHistoryChunk({ phone, companion, media: h.wa.media }, chunk);
}

/** Uploads a chunk and resolves with what is said of it, once its stanza is acknowledged. */
async function read(chunk: HistoryChunk): Promise<LogFields> {
  const before = said.count;
  await acknowledged(await upload(chunk));
  return (await said.waitForCount(before + 1))[before] ?? {};
}

const acknowledged = (sent: { id: string }) =>
  h.wa.clientReceipts.waitFor(({ id, type }) => id === sent.id && type === "hist_sync");

const chat = ({ lid }: Phone, token: string, age = HOUR): proto.IConversation => ({
  ...{ id: lid, tcToken: Buffer.from(token), tcTokenTimestamp: now() - age },
});
const trusting = (phone: Phone, token: string, age = HOUR): HistoryChunk => ({
  history: { conversations: [{ ...chat(phone, token, age), pnJid: phone.jid }] },
});

/** Whom the next message goes to, and the token it shows. */
async function sent(to: Phone): Promise<(string | undefined)[]> {
  const before = h.wa.clientMessages.count;
  expect(await h.send(to, "hello")).toMatchObject({ ok: true });
  const { to: jid, token } = h.wa.clientMessages.all[before] ?? {};
  return [jid, token];
}

const identities = () =>
  h.events.all.flatMap((event) => (event.kind === "identity" ? [event.sender.lid] : []));
const downloads = () => h.wa.media.downloads.all.map(({ status }) => status);

test.each([RECENT, INITIAL_BOOTSTRAP])(
  "an answer goes to the LID and shows the token that were in it (type %i)",
  async (syncType) => {
    await linked();
    const { ada, bob } = h;
    const { history } = trusting(ada, "trust");
    const phoneNumberToLidMappings = [{ pnJid: bob.jid, lidJid: bob.lid }];
    const chunk = { history: { ...history, phoneNumberToLidMappings }, said: { syncType } };
    expect(await read(chunk)).toMatchObject({ lids: 2, tokens: 1 });
    expect(identities()).toEqual(expect.arrayContaining([ada.lid, bob.lid]));
    expect(await sent(ada)).toEqual([ada.lid, "trust"]);
    expect(await sent(bob)).toEqual([bob.lid, undefined]);
    expect(downloads()).toEqual([200]);
  },
);

/** A part that comes within the message itself. */
const within = (history: Omit<proto.IHistorySync, "syncType">): HistoryChunk => {
  const syncType = proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP;
  const bytes = proto.HistorySync.encode({ ...history, syncType }).finish();
  return {
    said: {
      ...{ syncType: INITIAL_BOOTSTRAP, initialHistBootstrapInlinePayload: deflateSync(bytes) },
      ...{ directPath: null, mediaKey: null, fileLength: null },
    },
  };
};

test("what comes within the message is read as well, and of what is known everything stays", async () => {
  await linked();
  const { ada, bob } = h;
  await ada.send(h.owner, "new", { alt: true });
  await h.message("new");
  const stale = { pnJid: ada.jid, lidJid: bob.lid };
  const conversations = [chat(ada, "trust")];
  const part = within({ conversations, phoneNumberToLidMappings: [stale] });
  expect(await read(part)).toMatchObject({ lids: 0, tokens: 1 });
  expect(await sent(ada)).toEqual([ada.lid, "trust"]);
  expect(downloads()).toEqual([]);
});

test("of messages and names nothing comes in", async () => {
  await linked();
  const { ada } = h;
  const key = { remoteJid: ada.lid, id: "OLD", fromMe: false };
  const message = { key, messageTimestamp: now() - 60, message: { conversation: "old" } };
  const conversations = [{ ...chat(ada, "trust"), name: "Ada", messages: [{ message }] }];
  const pushnames = [{ id: ada.jid, pushname: "Ada" }];
  expect(await read({ history: { conversations, pushnames } })).toMatchObject({ tokens: 1 });
  await ada.send(h.owner, "new");
  await h.message("new");
  expect(h.messages().map(({ text }) => text)).toEqual(["new"]);
});

test("the newest token counts, in whatever order they come", async () => {
  await linked();
  const { ada } = h;
  await read(trusting(ada, "new", 2 * HOUR));
  expect(await read(trusting(ada, "old", 3 * HOUR))).toMatchObject({ tokens: 0 });
  expect(await sent(ada)).toEqual([ada.lid, "new"]);
  expect(await read(trusting(ada, "newer", HOUR))).toMatchObject({ tokens: 1 });
  expect(await sent(ada)).toEqual([ada.lid, "newer"]);
});

test("what WhatsApp says with a message counts for more than the history", async () => {
  await linked();
  const { ada, bob, owner } = h;
  await ada.send(owner, "hello");
  await h.message("hello");
  const phoneNumberToLidMappings = [
    { pnJid: ada.jid, lidJid: bob.lid },
    { pnJid: bob.jid, lidJid: ada.lid },
  ];
  expect(await read({ history: { phoneNumberToLidMappings } })).toMatchObject({ lids: 0 });
  expect((await sent(ada))[0]).toBe(ada.lid);
});

describe("a chunk that is no good costs itself alone:", () => {
  const bad: [string, string, () => HistoryChunk][] = [
    ["not there", "WhatsApp no longer has the file (404)", () => ({ said: { directPath: "/no" } })],
    ["another's", "not what its sender sent", () => ({ said: { mediaKey: Buffer.alloc(32) } })],
    [
      "changed",
      "not what its sender sent",
      () => ({ ...trusting(h.ada, "bad"), said: { fileEncSha256: Buffer.alloc(32) } }),
    ],
    ["not compressed", "it is damaged", () => ({ file: Buffer.from("what is this?") })],
    ["cut off", "it is damaged", () => ({ file: deflateSync(Buffer.alloc(900)).subarray(0, 9) })],
    ["no history", "it is damaged", () => ({ file: deflateSync(Buffer.from("\x12\x7f")) })],
    ["longer than said", "larger than it was said", () => ({ said: { fileLength: 1 } })],
    ["too large", "it has 16777217 bytes", () => ({ said: { fileLength: 2 ** 24 + 1 } })],
  ];
  test.each(bad)("%s", async (_, error, chunk) => {
    await linked();
    const { ada, bob, owner } = h;
    expect(await read(chunk())).toEqual({ error: expect.stringContaining(error) });
    expect(await read(trusting(bob, "good"))).toMatchObject({ tokens: 1 });
    expect(await sent(ada)).toEqual([ada.lid, undefined]);
    expect(await sent(bob)).toEqual([bob.lid, "good"]);
    await ada.send(owner, "still there?");
    await h.message("still there?");
  });
});

test("nothing waits for a chunk that does not come", async () => {
  await linked();
  const { ada, owner, wa } = h;
  wa.fault({ at: "download", do: "swallow" });
  await acknowledged(await upload(trusting(ada, "trust")));
  await ada.send(owner, "hello");
  await h.message("hello");
  expect(await sent(ada)).toEqual([ada.lid, undefined]);
});

describe("what the servers could not give", () => {
  const clock = heldClock(PAUSE_MS);

  test("is fetched later", async () => {
    await linked({ clock });
    const { ada, wa } = h;
    wa.fault({ at: "download", do: "refuse", code: 503 });
    await upload(trusting(ada, "late"));
    await clock.waits.waitForCount(1);
    expect(downloads()).toEqual([]);
    clock.elapse();
    expect(await said.waitFor()).toMatchObject({ tokens: 1 });
    expect(await sent(ada)).toEqual([ada.lid, "late"]);
  });

  test("is given up after five times", async () => {
    await linked({ clock });
    const { ada, wa } = h;
    wa.fault({ at: "download", do: "refuse", code: 503, times: 0 });
    const before = clock.waits.count;
    await upload(trusting(ada, "never"));
    for (const tries of [1, 2, 3, 4]) {
      await clock.waits.waitForCount(before + tries);
      clock.elapse();
    }
    const error = "WhatsApp's media server answered 503";
    expect(await said.waitFor()).toEqual({ error });
    expect(wa.faults.struck.count).toBe(5);
  });
});

test("a restart in the middle loses nothing", async () => {
  await linked();
  const { ada, wa } = h;
  wa.fault({ at: "download", do: "swallow" });
  await upload(trusting(ada, "trust"));
  await wa.faults.struck.waitFor(({ at }) => at === "download");
  await h.channel.stop();
  expect(lastSignal?.aborted).toBe(true);
  await h.restart();
  expect(await said.waitFor()).toMatchObject({ lids: 1, tokens: 1 });
  expect(await sent(ada)).toEqual([ada.lid, "trust"]);
  await h.restart();
  expect(downloads()).toEqual([200]);
});

test("a day later it is not taken up again", async () => {
  let later = 0;
  await linked({ clock: { ...impatientClock, now: () => impatientClock.now() + later } });
  const { ada, wa } = h;
  wa.fault({ at: "download", do: "swallow" });
  await upload(trusting(ada, "trust"));
  await wa.faults.struck.waitFor(({ at }) => at === "download");
  await h.channel.stop();
  later = 25 * HOUR * 1000;
  await h.restart();
  expect(await said.waitFor()).toEqual({ error: "it waited too long", chunks: 1 });
  expect(await sent(ada)).toEqual([ada.lid, undefined]);
  expect(downloads()).toEqual([]);
});

test("other parts of the history are left where they are, and so is what others say", async () => {
  await linked();
  const { ada, owner } = h;
  for (const syncType of [FULL, PUSH_NAME]) {
    await upload({ ...trusting(ada, "trust"), said: { syncType } });
  }
  await upload(trusting(ada, "forged"), ada);
  await ada.send(owner, "hello");
  await h.message("hello");
  expect(await sent(ada)).toEqual([ada.lid, undefined]);
  expect(downloads()).toEqual([]);
});
