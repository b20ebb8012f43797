import { afterAll, beforeEach, expect, test } from "bun:test";
import { rejection } from "../../support/rejection.ts";
import { key, synthesisBench, voiceId } from "../synthesis-bench.ts";

const never = new AbortController().signal;
const bench = synthesisBench();
const { server, target, providers, everyProvider, synthesizer } = bench;
beforeEach(bench.reset);
afterAll(bench.stop);

test("openai", async () => {
  await synthesizer({ ...providers.openai, openai: { api_key: key, speed: 1.5 } }).synthesize(
    "**Hi** there",
    target,
    never,
  );
  expect(server.seen).toHaveLength(1);
  expect(server.seen[0]).toMatchObject({
    method: "POST",
    path: "/openai/audio/speech",
    json: {
      model: "tts-1",
      input: "Hi there",
      voice: "alloy",
      speed: 1.5,
      response_format: "opus",
    },
  });
  expect(server.seen[0]?.headers.get("authorization")).toBe(`Bearer ${key}`);
});

test("elevenlabs", async () => {
  await synthesizer(providers.elevenlabs).synthesize("Hi", target, never);
  expect(server.seen[0]).toMatchObject({
    method: "POST",
    path: `/elevenlabs/text-to-speech/${voiceId}`,
    query: { output_format: "opus_48000_32" },
    json: {
      text: "Hi",
      model_id: "eleven_monolingual_v1",
      voice_settings: { stability: 0.5, similarity_boost: 0.5 },
    },
  });
  expect(server.seen[0]?.headers.get("xi-api-key")).toBe(key);
});

test("elevenlabs: a voice leads to no other address", async () => {
  const config = { ...providers.elevenlabs, default_voice: "../history?page=1" };
  await synthesizer(config).synthesize("Hi", target, never);
  expect(server.seen[0]).toMatchObject({
    path: "/elevenlabs/text-to-speech/..%2Fhistory%3Fpage%3D1",
    query: { output_format: "opus_48000_32" },
  });
});

test.each([
  ["alloy", { languageCode: "en-US" }],
  ["de-DE-Neural2-B", { languageCode: "de-DE", name: "de-DE-Neural2-B" }],
])("google with the voice %s", async (default_voice, voice) => {
  await synthesizer({ ...providers.google, default_voice }).synthesize("Hi", target, never);
  expect(server.seen[0]).toMatchObject({
    method: "POST",
    path: "/google/text:synthesize",
    query: {},
    json: { input: { text: "Hi" }, voice, audioConfig: { audioEncoding: "OGG_OPUS" } },
  });
  expect(server.seen[0]?.headers.get("x-goog-api-key")).toBe(key);
});

test("google: sound of many megabytes is read, what is no base 64 is refused", async () => {
  const google = synthesizer(providers.google);
  server.respond = () => Response.json({ audioContent: "A".repeat(16 * 1024 * 1024) });
  // Read, and then found to be no sound.
  expect(await google.synthesize("Hi", target, never)).toBeNull();
  for (const audioContent of ["AAA", "AA=A", "AAA-", "AAAA\n", "A==="]) {
    server.respond = () => Response.json({ audioContent });
    const error = await rejection(google.synthesize("Hi", target, never));
    expect(error).toMatchObject({ detail: "google gave an answer that cannot be used" });
  }
});

test("piper: without a key; asked for WAV where it knows no Opus", async () => {
  server.respond = ({ json }) =>
    JSON.stringify(json).includes("opus")
      ? new Response("unknown format", { status: 422 })
      : new Response(bench.sound);
  await synthesizer(providers.piper).synthesize("Hi", target, never);
  expect(server.seen.map(({ json }) => json)).toEqual(
    ["opus", "wav"].map((response_format) => ({
      model: "tts-1",
      input: "Hi",
      voice: "alloy",
      response_format,
    })),
  );
  expect(server.seen[0]?.headers.get("authorization")).toBeNull();
});

test("each provider has a service of its own for proxies", () => {
  for (const [name, config] of everyProvider) {
    const services: string[] = [];
    synthesizer(config, { fetchFor: (service) => (services.push(service), fetch) });
    expect(services).toEqual([`tts.${name}`]);
  }
});
