import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { MediaReference } from "../../src/channels/message.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import { runTurn } from "../../src/conversation/turn.ts";
import type { TurnRequest } from "../../src/agent/agent.ts";
import type { Transcriber } from "../../src/speech/transcription.ts";
import type { PendingMessage, StoredChat } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { endOfId } from "../../src/telemetry/message-id.ts";
import { fakeChannel } from "../support/channel.ts";
import { opusFile } from "../speech/opus.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, message, recipientAt } from "../support/store.ts";
import { workOver } from "../support/turns.ts";

// What an agent is told of a turn and its messages, and what is left of them in the history.

const trial = storeTrial();
const signal = new AbortController().signal;
const channel = fakeChannel();

const chatOf = (changes: Partial<StoredChat> = {}): StoredChat => ({
  id: 1,
  source: cloud,
  chat: { kind: "direct", id: "+15550001111" },
  recipient: recipientAt("+15550001111"),
  paused: false,
  lastInboundAt: null,
  ...changes,
});
const entry = (id: number, changes: Parameters<typeof message>[0] = {}): PendingMessage => ({
  id,
  receivedAt: 0,
  message: message(changes),
});

/** A turn, and what the agent was asked. */
async function turn(burst: PendingMessage[], chat = chatOf(), through = channel) {
  const requests: TurnRequest[] = [];
  const work = workOver(trial.store, trial.clock, async (request) => {
    requests.push(request);
    return { parts: [] };
  });
  const result = await runTurn(work, through, chat, burst, { signal, closing: signal });
  return { request: requests[0], history: result.finished.history, finished: result.finished };
}

test("an agent is told by which channel and in which chat it is asked", async () => {
  const group = chatOf({ chat: { kind: "group", id: "G1" } });
  const wati = fakeChannel({ name: "wati", backend: "wati" });
  const direct = await turn([entry(1)]);
  expect(direct.request).toMatchObject({
    channel: "whatsapp",
    backend: "cloud",
    chat: { id: "+15550001111", kind: "direct" },
  });
  expect((await turn([entry(1)], group, wati)).request).toMatchObject({
    channel: "wati",
    backend: "wati",
    chat: { id: "G1", kind: "group" },
  });
});

test("the same messages of the same account are the same turn, and no others are", async () => {
  const [one, two] = [entry(1, { id: "a" }), entry(2, { id: "b" })];
  const idOf = async (burst: PendingMessage[], source = cloud) =>
    (await turn(burst, chatOf({ source }))).request?.turn_id;
  const id = await idOf([one]);
  expect(await idOf([{ ...one, id: 9 }])).toBe(id);
  const others = [
    await idOf([two]),
    await idOf([one, two]),
    await idOf([one], { ...cloud, account: "2000" }),
    await idOf([one], { ...cloud, channel: "wati" }),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
});

test("every message of a burst is remembered as itself, so that each can be edited later", async () => {
  const burst = [entry(7, { text: "one" }), entry(8, { text: "two" })];
  const { history, finished } = await turn(burst);
  expect(history.map(({ messageId }) => messageId)).toEqual([7, 8]);
  expect(finished.messages).toEqual([7, 8]);
  const said = history.map(({ text }) => (typeof text === "string" ? text : text(message())));
  expect(said).not.toContain("one");
});

test("a message without words is remembered by its type", async () => {
  const [row] = (await turn([entry(7, { type: "sticker", text: "" })])).history;
  const { message: newest } = entry(7, { type: "sticker", text: "" });
  expect(typeof row?.text === "string" ? row.text : row?.text(newest)).toBe("[sticker]");
});

const voice: MediaReference = {
  kind: "audio",
  mimeType: "audio/ogg",
  filename: null,
  size: null,
  durationSecs: 3,
  source: {},
};
const prepare = (transcriber: Transcriber | null = null, log = silentLog) =>
  messagePreparer({
    store: trial.store,
    mediaFolder: `${trial.folder}/media`,
    maxMediaBytes: 1e9,
    alarms: new Alarms(trial.clock, silentLog),
    transcriber,
    clock: trial.clock,
    log,
  });

test("a message is told of with everything that is known of it and of who wrote it", async () => {
  const sender = {
    phone: "+15550001111",
    userId: "US.1",
    lid: "900@lid",
    username: "ada",
    name: "Ada",
  };
  const told = entry(7, { id: "wamid.7", sender, replyTo: "wamid.1", forwarded: true });
  expect(await prepare()(channel, told, signal)).toEqual({
    id: "wamid.7",
    type: "text",
    text: told.message.text,
    timestamp: 1_700_000_000,
    sender: {
      phone: "+15550001111",
      user_id: "US.1",
      lid: "900@lid",
      username: "ada",
      name: "Ada",
    },
    reply_to: "wamid.1",
    forwarded: true,
    attachments: [],
  });
});

/** A transcriber that takes what it is told to, and what it was asked. */
function listening(refusal: ReturnType<Transcriber["accepts"]>) {
  const asked: object[] = [];
  const transcriber: Transcriber = {
    provider: "openai",
    ready: { ok: true },
    accepts: (media) => (asked.push(media), refusal),
    transcribe: async (file) => (asked.push(file), "good morning"),
  };
  return { transcriber, asked };
}
const sound = opusFile(1);
const speaking = fakeChannel({
  openMedia: async () => ({ body: new Response(sound).body!, mimeType: null }),
});
const spoken = (text = "") => entry(7, { type: "voice", text, attachments: [voice] });

test("sound is heard where the transcriber takes its kind, length and size, by its true type", async () => {
  const { transcriber, asked } = listening(null);
  const { text, attachments } = await prepare(transcriber)(speaking, spoken(), signal);
  expect(text).toBe("[Voice] good morning");
  const path = attachments[0]?.path ?? "";
  expect(readFileSync(path)).toEqual(Buffer.from(sound));
  expect(asked).toEqual([
    { voice: true, durationSecs: 3, size: sound.length },
    { path, mimeType: "audio/ogg; codecs=opus", filename: null },
  ]);
});

test("what the transcriber does not take, or has words already, it is not sent", async () => {
  const refusing = listening("too_long");
  const said: unknown[][] = [];
  const log = { ...silentLog, info: (...line: unknown[]) => void said.push(line) };
  const refused = spoken();
  expect((await prepare(refusing.transcriber, log)(speaking, refused, signal)).text).toBe("");
  expect(refusing.asked).toHaveLength(1);
  expect(said).toEqual([
    [{ id: endOfId(refused.message.id), reason: "too_long" }, "sound is not transcribed"],
  ]);
  const told = listening(null);
  const { text } = await prepare(told.transcriber)(speaking, spoken("a caption"), signal);
  expect([text, told.asked]).toEqual(["a caption", []]);
});

test("sound that was not fetched, or is none, is not heard", async () => {
  const told = listening(null);
  const lost = await prepare(told.transcriber)(channel, spoken(), signal);
  expect(lost.attachments).toMatchObject([{ path: null, error: "no media here" }]);
  await prepare(told.transcriber)(channel, entry(7, { text: "" }), signal);
  expect([lost.text, told.asked]).toEqual(["", []]);
});

test("a stop while sound is heard ends the turn, and the hearing with it", async () => {
  const stop = new AbortController();
  const patience = new AbortController().signal;
  const { transcriber } = listening(null);
  const hearing: Transcriber = {
    ...transcriber,
    transcribe(_, ends) {
      stop.abort(new Error("the daemon is stopping"));
      return ends.aborted ? Promise.reject(new Error("left")) : Promise.resolve("heard on");
    },
  };
  const preparing = prepare(hearing)(speaking, spoken(), stop.signal, patience);
  await expect(preparing).rejects.toThrow("the daemon is stopping");
});
