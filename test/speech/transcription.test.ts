import { afterAll, beforeEach, describe, expect, mock, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { transcriptionSchema } from "../../src/config/schema-speech.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { SpeechError } from "../../src/speech/error.ts";
import { createTranscriber } from "../../src/speech/transcription.ts";
import { type LogFields, silentLog } from "../../src/telemetry/log.ts";
import { rejection } from "../support/rejection.ts";
import { fakeClock } from "../support/clock.ts";
import { opusFile } from "./opus.ts";
import { box, chunk, flac, frames, movieHeader, mp3Frame, wav, wavFormat } from "./sound-files.ts";
import { nobody } from "./stand-in.ts";
import { key, transcriptionBench } from "./transcription-bench.ts";

const never = new AbortController().signal;
const bench = transcriptionBench();
const { server, folder, providers, everyProvider, file, transcriber } = bench;
beforeEach(bench.reset);
afterAll(bench.stop);

test("off is null", () => {
  const config = v.parse(transcriptionSchema, {});
  const log = silentLog;
  const clock = systemClock;
  expect(createTranscriber({ config, env: {}, fetchFor: () => fetch, clock, log })).toBeNull();
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
    const warned: string[] = [];
    const warn = (_: LogFields, message: string) => warned.push(message);
    const unready = transcriber(config, { log: { ...silentLog, warn } });
    expect(unready.ready).toEqual({ ok: false, reason: expect.stringContaining(reason) });
    expect(warned).toEqual([expect.stringContaining(`are not transcribed: no `)]);
    expect(warned[0]).toContain(reason);
    expect(unready.accepts({ voice: true, durationSecs: 1, size: 1 })).toBe("not_configured");
    const error = await rejection(unready.transcribe(file(), never));
    expect(error).toBeInstanceOf(SpeechError);
    expect(error).toMatchObject({ retryable: false, detail: expect.stringContaining(reason) });
    expect(server.seen).toEqual([]);
  });

  test("what has all it needs is ready, and warns of nothing; an address of one's own needs no key", () => {
    const own = { default_provider: "groq", api_url: `${server.url}/own` };
    for (const config of [...Object.values(providers), own]) {
      const warn = mock();
      const ready = transcriber(config, { log: { ...silentLog, warn } });
      expect(ready.ready).toEqual({ ok: true });
      expect(warn).not.toHaveBeenCalled();
    }
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

  test.each([
    ["MP3", frames(5_000, mp3Frame), 130],
    ["M4A", box("moov", movieHeader(0, 1_000, 121_000n)), 121],
    ["WAV", wav(wavFormat(8_000, 1), chunk("data", new Uint8Array(8_000 * 122))), 122],
    ["FLAC", flac(8_000, 8_000 * 123), 123],
  ])("of %s, too", async (_, data, seconds) => {
    const path = join(folder, "long");
    writeFileSync(path, data);
    const error = await rejection(transcriber(providers.groq).transcribe(file(path), never));
    expect(error).toMatchObject({
      detail: `the audio is ${seconds} seconds long, more than the 120 allowed`,
    });
    expect(server.seen).toEqual([]);
  });

  test("the file's own size counts", async () => {
    const local_whisper = { url: server.url, max_audio_bytes: 50 };
    const small = transcriber({ default_provider: "local_whisper", local_whisper });
    expect(await rejection(small.transcribe(file(), never))).toMatchObject({
      retryable: false,
      detail: "the audio is longer than 50 bytes",
    });
    const local = { url: `${server.url}/local`, max_audio_bytes: statSync(file().path).size };
    const just = transcriber({ default_provider: "local_whisper", local_whisper: local });
    expect(await just.transcribe(file(), never)).toBe("hello there");
  });

  test("a file that is gone", async () => {
    const path = join(folder, "gone");
    expect(
      await rejection(transcriber(providers.groq).transcribe(file(path), never)),
    ).toMatchObject({
      retryable: false,
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
    expect(Bun.inspect(error)).not.toContain(key);
    expect(error).toMatchObject({
      retryable,
      status,
      detail: expect.stringContaining(`${name} answered with status ${status}`),
    });
    expect(server.seen).toHaveLength(1);
  });

  test.each([
    ["no JSON", () => new Response("words"), "cannot be used", true],
    ["another JSON", () => Response.json({ words: 1 }), "cannot be used", true],
    [
      "an endless answer",
      () =>
        new Response(
          new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1024 * 1024)) }),
        ),
      "is longer than",
      false,
    ],
  ])("%s", async (what, response, detail, retryable) => {
    if (name === "google" && what === "another JSON") return; // No results is Google's silence.
    server.respond = response;
    expect(await rejection(transcriber(config).transcribe(file(), never))).toMatchObject({
      retryable,
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

test("an answer that is refused is told in words, and let go of", async () => {
  for (const [status, detail] of [
    [500, "groq answered with status 500"],
    [401, "groq answered with status 401: the key is refused"],
  ] as const) {
    const cancel = mock();
    const fetch = async () => new Response(new ReadableStream({ cancel }), { status });
    const asked = transcriber(providers.groq, { fetchFor: () => fetch });
    expect(await rejection(asked.transcribe(file(), never))).toMatchObject({ detail });
    expect(cancel).toHaveBeenCalledTimes(1);
  }
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
