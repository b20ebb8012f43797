import { beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { Agent, TurnRequest } from "../../src/agent/agent.ts";
import type { MediaReference } from "../../src/channels/message.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import { replySpeaker } from "../../src/conversation/speak.ts";
import { runTurn, type TurnWork } from "../../src/conversation/turn.ts";
import type { Synthesizer } from "../../src/speech/synthesis.ts";
import type { Transcriber } from "../../src/speech/transcription.ts";
import type { StoredChat } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { opusFile } from "../speech/opus.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, message } from "../support/store.ts";
import { workOver } from "../support/turns.ts";

const trial = storeTrial();
let requests: TurnRequest[];
beforeEach(() => {
  requests = [];
});

/** Settles when the signal ends it, and not before. */
const untilStopped = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

const chat: StoredChat = {
  id: 1,
  source: cloud,
  chat: { kind: "direct", id: "+15550001111" },
  recipient: { kind: "direct", phone: "+15550001111", userId: null, lid: null },
  paused: false,
  lastInboundAt: null,
};
const voice: MediaReference = {
  kind: "audio",
  mimeType: "audio/ogg",
  filename: null,
  size: null,
  durationSecs: null,
  source: {},
};
const burst = [
  { id: 7, receivedAt: 0, message: message({ type: "voice", text: "", attachments: [voice] }) },
];

function work(speech: { transcriber?: Transcriber; synthesizer?: Synthesizer }): TurnWork {
  const mediaFolder = join(trial.folder, "media");
  const run: Agent["run"] = async (request) => {
    requests.push(request);
    return { parts: [{ kind: "text", text: "the answer" }] };
  };
  return workOver(trial.store, trial.clock, run, {
    prepare: messagePreparer({
      store: trial.store,
      mediaFolder,
      maxMediaBytes: 1_000_000,
      alarms: new Alarms(trial.clock, silentLog),
      transcriber: speech.transcriber ?? null,
      clock: trial.clock,
      log: silentLog,
    }),
    compose: replyComposer({
      mediaFolder,
      mediaDir: null,
      keep: async () => {},
    }),
    ...(speech.synthesizer && {
      speak: replySpeaker({
        mediaFolder,
        synthesizer: speech.synthesizer,
        keep: async () => {},
        log: silentLog,
      }),
    }),
  });
}

/** Runs the turn until nothing more happens by itself, and lets `ms` pass. */
async function outcome(running: ReturnType<typeof runTurn>, ms: number) {
  const settled = running.catch((error: unknown) => error);
  for (let waited = 0; waited < ms; waited += 1000) {
    await new Promise((resolve) => setImmediate(resolve));
    await trial.clock.advance(1000);
  }
  return Promise.race([
    settled,
    new Promise((resolve) => setTimeout(resolve, 500, "still running")),
  ]);
}
const signals = () => ({
  signal: new AbortController().signal,
  closing: new AbortController().signal,
});

test("a file that never comes leaves its message half of the time, and a reason", async () => {
  const asked = Promise.withResolvers<void>();
  const channel = fakeChannel({
    openMedia(_, signal) {
      asked.resolve();
      return untilStopped(signal);
    },
  });
  const turn = runTurn(work({}), channel, chat, burst, signals());
  await asked.promise;
  expect(await outcome(turn, 16_000)).toMatchObject({ outcome: "answered" });
  expect(requests[0]?.messages[0]?.attachments).toMatchObject([
    { path: null, error: "it took too long" },
  ]);
});

/** Gives a voice note. */
const gives = () =>
  fakeChannel({
    openMedia: async () => ({ body: new Response(opusFile(1)).body!, mimeType: "audio/ogg" }),
  });

test("words that never come leave the voice note without", async () => {
  const asked = Promise.withResolvers<void>();
  const transcriber: Transcriber = {
    provider: "local_whisper",
    ready: { ok: true },
    accepts: () => null,
    transcribe(_, signal) {
      asked.resolve();
      return untilStopped(signal);
    },
  };
  const turn = runTurn(work({ transcriber }), gives(), chat, burst, signals());
  await asked.promise;
  expect(await outcome(turn, 16_000)).toMatchObject({ outcome: "answered" });
  expect(requests[0]?.messages[0]).toMatchObject({ text: "", attachments: [{ kind: "audio" }] });
  expect(requests[0]?.messages[0]?.attachments[0]?.path).toBeString();
});

test("an answer does not wait for its voice, which a stop of the daemon ends", async () => {
  const synthesizer: Synthesizer = {
    provider: "piper",
    canVoice: { ok: true },
    synthesize: (_, __, signal) => untilStopped(signal),
  };
  const turn = await runTurn(work({ synthesizer }), gives(), chat, burst, signals());
  expect(turn).toMatchObject({
    outcome: "answered",
    finished: { deliveries: [{ content: { kind: "text", text: "the answer" } }] },
  });
  const stop = new AbortController();
  const note = turn.speak?.(stop.signal);
  stop.abort(new Error("the daemon is stopping"));
  expect(await note).toBeNull();
});

test("a stop of the daemon ends it all the same", async () => {
  const stop = new AbortController();
  const channel = fakeChannel({ openMedia: (_, signal) => untilStopped(signal) });
  const works = work({});
  const turn = runTurn(works, channel, chat, burst, { ...signals(), signal: stop.signal });
  stop.abort(new Error("the daemon is stopping"));
  expect(await outcome(turn, 0)).toEqual(new Error("the daemon is stopping"));
  expect(works.alarms.list()).toEqual([]);
  expect(requests).toEqual([]);
});
