import { afterAll, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../src/runtime/clock.ts";
import { rejection } from "../../support/rejection.ts";
import { opusFile } from "../opus.ts";
import { answers, key, transcriptionBench } from "../transcription-bench.ts";

const never = new AbortController().signal;
const bench = transcriptionBench();
const { server, folder, providers, file, transcriber } = bench;
beforeEach(bench.reset);
afterAll(bench.stop);

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
  // The key of another service is not for one's own server.
  await transcriber({ ...open, api_key: key }).transcribe(file(), never);
  expect(server.seen[2]?.headers.get("authorization")).toBeNull();
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
      path.endsWith("/t-1")
        ? { status: states.shift() ?? "completed", text: "hello there" }
        : answers[path],
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
  await transcriber({ ...providers.assemblyai, language: "de" }).transcribe(file(), never);
  expect(server.seen.at(-2)?.json).toMatchObject({ language_code: "de" });
  expect(server.seen.at(-2)?.json).not.toHaveProperty("language_detection");
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
  expect(await run).toMatchObject({
    retryable: true,
    detail: "assemblyai was not ready within 120 seconds",
  });
});

test("assemblyai: a question that fails is put again, and the sound not ordered anew", async () => {
  const bad = () => new Response("", { status: 502 });
  const states = [bad, bad, () => Response.json({ status: "processing" }), bad, bad, bad];
  server.respond = ({ path }) =>
    path.endsWith("/t-1")
      ? (states.shift() ?? (() => Response.json({ status: "completed", text: "hello there" })))()
      : Response.json(answers[path]);
  const clock = pollingClock();
  const hears = () => transcriber(providers.assemblyai, { clock }).transcribe(file(), never);
  expect(await rejection(hears())).toMatchObject({ status: 502, retryable: true });
  expect(server.seen.map(({ method }) => method)).toEqual([
    "POST",
    "POST",
    ...Array(6).fill("GET"),
  ]);
  states.push(bad, bad, () => Response.json({ status: "queued" }), bad, bad);
  expect(await hears()).toBe("hello there");
  states.push(() => new Response("", { status: 401 }));
  expect(await rejection(hears())).toMatchObject({ status: 401 });
});

test("assemblyai: what is no id of a transcript leads nowhere", async () => {
  for (const id of ["../../account", "", "a".repeat(65)]) {
    server.seen = [];
    server.respond = ({ path }) =>
      Response.json(path.endsWith("/transcript") ? { id } : answers[path]);
    const error = await rejection(transcriber(providers.assemblyai).transcribe(file(), never));
    expect(error).toMatchObject({ detail: "assemblyai gave an answer that cannot be used" });
    expect(server.seen.map(({ method }) => method)).toEqual(["POST", "POST"]);
  }
});

test("assemblyai: an upload without an address is of no use", async () => {
  server.respond = () => Response.json({ upload_url: "upload/1" });
  const error = await rejection(transcriber(providers.assemblyai).transcribe(file(), never));
  expect(error).toMatchObject({ detail: "assemblyai gave an answer that cannot be used" });
  expect(server.seen).toHaveLength(1);
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

test("google: a rate that it does not know is said as that of Opus", async () => {
  const path = join(folder, "rate");
  writeFileSync(path, opusFile(3, { rate: 44_100 }));
  await transcriber(providers.google).transcribe(file(path), never);
  expect(server.seen[0]?.json).toMatchObject({ config: { sampleRateHertz: 48_000 } });
});

test("google: sound beyond what it takes is not sent", () => {
  const google = transcriber(providers.google);
  const media = { voice: true, durationSecs: 10 };
  expect(google.accepts({ ...media, size: 7_000_000 })).toBeNull();
  expect(google.accepts({ ...media, size: 7_000_001 })).toBe("too_large");
});

test.each([[[]], [{ results: [[]] }], [{ results: [{ alternatives: [[]] }] }]])(
  "google: a list is no answer: %j",
  async (answer) => {
    server.respond = () => Response.json(answer);
    const error = await rejection(transcriber(providers.google).transcribe(file(), never));
    expect(error).toMatchObject({ detail: "google gave an answer that cannot be used" });
  },
);

test("google: what it does not read is not sent", async () => {
  const path = join(folder, "song.mp3");
  writeFileSync(path, "ID3");
  const error = await rejection(
    transcriber(providers.google).transcribe(file(path, "audio/mpeg"), never),
  );
  expect(error).toMatchObject({
    detail: "google does not read audio/mpeg",
    retryable: false,
  });
  expect(server.seen).toEqual([]);
});

test.each([
  ["audio/mp4", "audio.m4a", "audio/mp4"],
  ["audio/mpeg; rate=1", "audio.mp3", "audio/mpeg"],
  ["AUDIO/AMR", "audio.amr", "audio/amr"],
  ["text/html", "audio.bin", "application/octet-stream"],
  ["constructor", "audio.bin", "application/octet-stream"],
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

test("what is Ogg/Opus is sent as such, whatever the platform called it", async () => {
  for (const type of ["audio/mpeg", null]) {
    await transcriber(providers.groq).transcribe(file(undefined, type), never);
    expect(new TextDecoder().decode(server.seen.at(-1)?.body)).toContain(
      'filename="audio.ogg"\r\nContent-Type: audio/ogg\r\n',
    );
  }
});

test("no words are no error", async () => {
  server.respond = () => Response.json({});
  expect(await transcriber(providers.google).transcribe(file(), never)).toBe("");
  server.respond = () => Response.json({ results: { channels: [{ alternatives: [] }] } });
  expect(await transcriber(providers.deepgram).transcribe(file(), never)).toBe("");
  server.respond = () => Response.json({ text: "" });
  expect(await transcriber(providers.groq).transcribe(file(), never)).toBe("");
  server.respond = ({ path }) =>
    Response.json(path.endsWith("/t-1") ? { status: "completed", text: null } : answers[path]);
  expect(await transcriber(providers.assemblyai).transcribe(file(), never)).toBe("");
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
