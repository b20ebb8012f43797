import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { systemClock, type Clock } from "../../src/runtime/clock.ts";
import { SpeechError } from "../../src/speech/error.ts";
import { createTranscriber, type TranscriberOptions } from "../../src/speech/transcription.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { rejection } from "../agent/turn.ts";
import { fakeClock } from "../support/clock.ts";
import { opusFile } from "./opus.ts";
import { nobody, standIn } from "./stand-in.ts";

const key = "key-81ac-not-to-be-seen";
const never = new AbortController().signal;
const server = standIn();
const folder = mkdtempSync(join(tmpdir(), "revka-transcription-"));
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.seen = [];
  server.respond = ({ path }) => Response.json(answers[path] ?? { text: " hello there " });
});

const answers: Record<string, unknown> = {
  "/deepgram/listen": {
    results: { channels: [{ alternatives: [{ transcript: "hello there", confidence: 1 }] }] },
  },
  "/assemblyai/upload": { upload_url: "https://cdn.assemblyai.example/upload/1" },
  "/assemblyai/transcript": { id: "t-1", status: "queued" },
  "/assemblyai/transcript/t-1": { id: "t-1", status: "completed", text: "hello there" },
  "/google/speech:recognize": {
    results: [
      { alternatives: [{ transcript: "hello" }, { transcript: "hallo" }] },
      { alternatives: [{ transcript: " there" }] },
    ],
  },
};

const voice = join(folder, "voice");
writeFileSync(voice, opusFile(3));
const file = (path = voice, mimeType: string | null = "audio/ogg; codecs=opus") => ({
  path,
  mimeType,
  filename: "Ada's secret plans.opus",
});

function transcriber(
  config: Record<string, unknown> = {},
  changes: Partial<TranscriberOptions> = {},
) {
  const created = createTranscriber({
    config: configSchema.parse({
      transcription: {
        enabled: true,
        api_url: `${server.url}/groq/audio/transcriptions`,
        ...config,
      },
    }).transcription,
    env: {},
    fetchFor: () => fetch,
    clock: systemClock,
    log: silentLog,
    baseUrls: {
      openai: `${server.url}/openai`,
      deepgram: `${server.url}/deepgram`,
      assemblyai: `${server.url}/assemblyai/`,
      googleSpeech: `${server.url}/google`,
    },
    ...changes,
  });
  if (!created) throw new Error("transcription is off");
  return created;
}

/** Each provider, with its key in the table of its own. */
const providers = {
  groq: { default_provider: "groq", api_key: key },
  openai: { default_provider: "openai", openai: { api_key: key } },
  deepgram: { default_provider: "deepgram", deepgram: { api_key: key } },
  assemblyai: { default_provider: "assemblyai", assemblyai: { api_key: key } },
  google: { default_provider: "google", google: { api_key: key } },
  local_whisper: {
    default_provider: "local_whisper",
    local_whisper: { url: `${server.url}/local`, bearer_token: key },
  },
};
const everyProvider = Object.entries(providers);

test("off is null", () => {
  const config = configSchema.parse({}).transcription;
  const log = silentLog;
  const clock = systemClock;
  expect(createTranscriber({ config, env: {}, fetchFor: () => fetch, clock, log })).toBeNull();
});

describe("the wire", () => {
  const lastForm = () => Object.fromEntries(server.seen.at(-1)?.form ?? []);

  test("groq: multipart with model, language, prompt and bearer", async () => {
    const groq = transcriber({ ...providers.groq, language: "de", initial_prompt: "Revka" });
    expect(await groq.transcribe(file(), never)).toBe("hello there");
    const { file: sound, ...fields } = lastForm();
    expect(server.seen[0]).toMatchObject({ method: "POST", path: "/groq/audio/transcriptions" });
    expect(server.seen[0]?.headers.get("authorization")).toBe(`Bearer ${key}`);
    expect(fields).toEqual({
      model: "whisper-large-v3-turbo",
      response_format: "json",
      language: "de",
      prompt: "Revka",
    });
    if (!(sound instanceof File)) throw new Error("file is no file");
    expect([sound.name, sound.type]).toEqual(["audio.ogg", "audio/ogg"]);
    expect(new Uint8Array(await sound.arrayBuffer())).toEqual(opusFile(3));
  });

  test("openai: its own model, nothing that is not configured", async () => {
    await transcriber(providers.openai).transcribe(file(), never);
    const { file: _, ...fields } = lastForm();
    expect(server.seen[0]?.path).toBe("/openai/audio/transcriptions");
    expect(server.seen[0]?.headers.get("authorization")).toBe(`Bearer ${key}`);
    expect(fields).toEqual({ model: "whisper-1", response_format: "json" });
  });

  test("local_whisper: the field file, a bearer where there is one", async () => {
    await transcriber(providers.local_whisper).transcribe(file(), never);
    expect(server.seen[0]?.path).toBe("/local");
    expect(server.seen[0]?.headers.get("authorization")).toBe(`Bearer ${key}`);
    expect(Object.keys(lastForm())).toEqual(["file"]);
    const open = { ...providers.local_whisper, local_whisper: { url: `${server.url}/local` } };
    await transcriber(open).transcribe(file(), never);
    expect(server.seen[1]?.headers.get("authorization")).toBeNull();
  });

  test("deepgram: the sound as body, the language found out or given", async () => {
    expect(await transcriber(providers.deepgram).transcribe(file(), never)).toBe("hello there");
    expect(server.seen[0]).toMatchObject({
      method: "POST",
      path: "/deepgram/listen",
      query: { model: "nova-2", smart_format: "true", detect_language: "true" },
      body: opusFile(3),
    });
    expect(server.seen[0]?.headers.get("authorization")).toBe(`Token ${key}`);
    expect(server.seen[0]?.headers.get("content-type")).toBe("audio/ogg");
    await transcriber({ ...providers.deepgram, language: "de" }).transcribe(file(), never);
    expect(server.seen[1]?.query).toEqual({
      model: "nova-2",
      smart_format: "true",
      language: "de",
    });
  });

  test("assemblyai: upload, order, ask until it is there", async () => {
    const states = ["queued", "processing", "completed"];
    server.respond = ({ path }) =>
      Response.json(
        path.endsWith("/t-1") ? { status: states.shift(), text: "hello there" } : answers[path],
      );
    const clock = pollingClock();
    const run = transcriber(providers.assemblyai, { clock }).transcribe(file(), never);
    expect(await run).toBe("hello there");
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /assemblyai/upload",
      "POST /assemblyai/transcript",
      "GET /assemblyai/transcript/t-1",
      "GET /assemblyai/transcript/t-1",
      "GET /assemblyai/transcript/t-1",
    ]);
    expect(server.seen[0]?.body).toEqual(opusFile(3));
    expect(server.seen[1]?.json).toEqual({
      audio_url: "https://cdn.assemblyai.example/upload/1",
      language_detection: true,
    });
    for (const { headers } of server.seen) expect(headers.get("authorization")).toBe(key);
  });

  test("assemblyai: a transcript that failed, and one that never comes", async () => {
    let state = "error";
    server.respond = ({ path }) =>
      Response.json(path.endsWith("/t-1") ? { status: state } : answers[path]);
    expect(
      await rejection(transcriber(providers.assemblyai).transcribe(file(), never)),
    ).toMatchObject({ retryable: false });
    state = "processing";
    const clock = pollingClock();
    const run = rejection(transcriber(providers.assemblyai, { clock }).transcribe(file(), never));
    expect(await run).toMatchObject({ detail: "assemblyai was not ready within 120 seconds" });
  });

  test("google: JSON with the file's own rate, the key in a header", async () => {
    expect(await transcriber(providers.google).transcribe(file(), never)).toBe("hello there");
    expect(server.seen[0]).toMatchObject({
      method: "POST",
      path: "/google/speech:recognize",
      query: {},
      json: {
        config: {
          encoding: "OGG_OPUS",
          sampleRateHertz: 16_000,
          audioChannelCount: 1,
          languageCode: "en-US",
          enableAutomaticPunctuation: true,
        },
        audio: { content: Buffer.from(opusFile(3)).toString("base64") },
      },
    });
    expect(server.seen[0]?.headers.get("x-goog-api-key")).toBe(key);
  });

  test("google: what it does not read is not sent", async () => {
    const path = join(folder, "song.mp3");
    writeFileSync(path, "ID3");
    const error = await rejection(
      transcriber(providers.google).transcribe(file(path, "audio/mpeg"), never),
    );
    expect(error).toMatchObject({ detail: "google does not read audio/mpeg" });
    expect(server.seen).toEqual([]);
  });

  test.each([
    ["audio/mp4", "audio.m4a", "audio/mp4"],
    ["audio/mpeg; rate=1", "audio.mp3", "audio/mpeg"],
    ["AUDIO/AMR", "audio.amr", "audio/amr"],
    ["text/html", "audio.bin", "application/octet-stream"],
    [null, "audio.bin", "application/octet-stream"],
  ])("%p is sent as %p", async (type, name, sent) => {
    const path = join(folder, "other");
    writeFileSync(path, "sound");
    await transcriber(providers.groq).transcribe(file(path, type), never);
    // Off the wire: a parser may guess the type by the name.
    expect(new TextDecoder().decode(server.seen[0]?.body)).toContain(
      `name="file"; filename="${name}"\r\nContent-Type: ${sent}\r\n`,
    );
  });

  test("no words are no error", async () => {
    answers["/google/speech:recognize"] = {};
    expect(await transcriber(providers.google).transcribe(file(), never)).toBe("");
    server.respond = () => Response.json({ text: "" });
    expect(await transcriber(providers.groq).transcribe(file(), never)).toBe("");
  });
});

describe("keys", () => {
  test.each([
    ["openai", "OPENAI_API_KEY", "authorization", `Bearer ${key}`],
    ["deepgram", "DEEPGRAM_API_KEY", "authorization", `Token ${key}`],
    ["assemblyai", "ASSEMBLYAI_API_KEY", "authorization", key],
    ["google", "GOOGLE_API_KEY", "x-goog-api-key", key],
    ["groq", "GROQ_API_KEY", "authorization", `Bearer ${key}`],
  ])("%s takes %s", async (default_provider, variable, header, value) => {
    await transcriber({ default_provider }, { env: { [variable]: key } }).transcribe(file(), never);
    expect(server.seen[0]?.headers.get(header)).toBe(value);
  });

  test.each([
    [
      { default_provider: "groq", api_url: undefined },
      "set [transcription] api_key or GROQ_API_KEY",
    ],
    [{ default_provider: "openai" }, "set [transcription.openai] api_key or OPENAI_API_KEY"],
    [{ default_provider: "local_whisper" }, "set [transcription.local_whisper] url"],
    [{ default_provider: "groq", api_url: "nowhere" }, "set [transcription] api_url"],
  ])("%p is not ready", async (config, reason) => {
    const unready = transcriber(config);
    expect(unready.ready).toEqual({ ok: false, reason: expect.stringContaining(reason) });
    expect(unready.accepts({ voice: true, durationSecs: 1, size: 1 })).toBe("not_configured");
    expect(await rejection(unready.transcribe(file(), never))).toBeInstanceOf(SpeechError);
    expect(server.seen).toEqual([]);
  });

  test("each provider has a service of its own for proxies", () => {
    for (const [name, config] of everyProvider) {
      const services: string[] = [];
      transcriber(config, { fetchFor: (service) => (services.push(service), fetch) });
      expect(services).toEqual([`transcription.${name}`]);
    }
  });
});

describe("limits", () => {
  const megabyte = 1024 * 1024;
  test.each([
    [{}, { voice: true, durationSecs: 120, size: 25 * megabyte }, null],
    [{}, { voice: true, durationSecs: null, size: 1 }, null],
    [{}, { voice: true, durationSecs: 120.9, size: 1 }, null],
    [{}, { voice: true, durationSecs: 121, size: 1 }, "too_long"],
    [{ max_duration_secs: 10 }, { voice: true, durationSecs: 11, size: 1 }, "too_long"],
    [{}, { voice: true, durationSecs: 1, size: 25 * megabyte + 1 }, "too_large"],
    [{}, { voice: false, durationSecs: 1, size: 1 }, "not_a_voice_note"],
    [{ transcribe_non_ptt_audio: true }, { voice: false, durationSecs: 1, size: 1 }, null],
    [providers.google, { voice: true, durationSecs: 61, size: 1 }, "too_long"],
    [
      { ...providers.local_whisper, local_whisper: { url: server.url, max_audio_bytes: 10 } },
      { voice: true, durationSecs: 1, size: 11 },
      "too_large",
    ],
  ])("%p, %p: %p", (config, media, refusal) => {
    expect(transcriber({ ...providers.groq, ...config }).accepts(media)).toBe(refusal as never);
  });

  test("the file's own duration counts, whatever the platform said", async () => {
    const path = join(folder, "long");
    writeFileSync(path, opusFile(121));
    const error = await rejection(transcriber(providers.groq).transcribe(file(path), never));
    expect(error).toMatchObject({
      retryable: false,
      detail: "the audio is 121 seconds long, more than the 120 allowed",
    });
    expect(server.seen).toEqual([]);
  });

  test("the file's own size counts", async () => {
    const local_whisper = { url: server.url, max_audio_bytes: 50 };
    const small = transcriber({ default_provider: "local_whisper", local_whisper });
    expect(await rejection(small.transcribe(file(), never))).toMatchObject({
      detail: "the audio is longer than 50 bytes",
    });
  });

  test("a file that is gone", async () => {
    const path = join(folder, "gone");
    expect(
      await rejection(transcriber(providers.groq).transcribe(file(path), never)),
    ).toMatchObject({
      detail: "the audio file cannot be read",
    });
  });
});

describe.each(everyProvider)("failures of %s", (name, config) => {
  test.each([
    [400, false],
    [401, false],
    [302, false],
    [413, false],
    [429, true],
    [500, true],
  ])("status %d, worth repeating: %p, without the key it echoes", async (status, retryable) => {
    server.respond = ({ headers }) =>
      new Response(`${headers.get("authorization")}${headers.get("x-goog-api-key")}`, {
        status,
        headers: { location: `${server.url}/stolen` },
      });
    const error = await rejection(transcriber(config).transcribe(file(), never));
    expect(error).toBeInstanceOf(SpeechError);
    expect(error).toMatchObject({
      retryable,
      status,
      detail: expect.stringContaining(`${name} answered with status ${status}`),
    });
    expect(Bun.inspect(error)).not.toContain(key);
    expect(server.seen).toHaveLength(1);
  });

  test.each([
    ["no JSON", () => new Response("words"), "cannot be used"],
    ["another JSON", () => Response.json({ words: 1 }), "cannot be used"],
    [
      "an endless answer",
      () =>
        new Response(
          new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1024 * 1024)) }),
        ),
      "is longer than",
    ],
  ])("%s", async (what, response, detail) => {
    if (name === "google" && what === "another JSON") return; // No results is Google's silence.
    server.respond = response;
    expect(await rejection(transcriber(config).transcribe(file(), never))).toMatchObject({
      detail: expect.stringContaining(detail),
    });
  });

  test("no answer in time", async () => {
    server.respond = () => new Promise(() => {});
    const clock = fakeClock();
    const arrived = server.next();
    const run = rejection(transcriber(config, { clock }).transcribe(file(), never));
    await arrived;
    const seconds = name === "local_whisper" ? 300 : 60;
    await clock.advance(seconds * 1000 - 1);
    await clock.advance(1);
    expect(await run).toMatchObject({
      retryable: true,
      detail: `${name} did not answer within ${seconds} seconds`,
    });
    expect(clock.pending).toBe(0);
  });

  test("an aborted one rejects with the signal's reason", async () => {
    server.respond = () => new Promise(() => {});
    const controller = new AbortController();
    const arrived = server.next();
    const run = rejection(transcriber(config).transcribe(file(), controller.signal));
    await arrived;
    controller.abort(new Error("enough"));
    expect(await run).toEqual(new Error("enough"));
  });
});

test("an answer leaves no timer behind", async () => {
  const clock = fakeClock();
  await transcriber(providers.groq, { clock }).transcribe(file(), never);
  expect(clock.pending).toBe(0);
});

test("nobody there", async () => {
  const url = await nobody();
  const error = await rejection(
    transcriber({ ...providers.groq, api_url: `${url}/?key=${key}` }).transcribe(file(), never),
  );
  expect(error).toMatchObject({
    retryable: true,
    detail: expect.stringMatching(/^cannot reach groq \(\w+\)$/),
  });
});

/** A clock on which pauses between questions take no time at all, though they count; other timers never fire. */
function pollingClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    after(ms, callback) {
      if (ms > 2_000) return () => {};
      now += ms;
      queueMicrotask(callback);
      return () => {};
    },
  };
}
