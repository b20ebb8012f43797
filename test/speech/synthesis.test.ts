import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { SpeechError } from "../../src/speech/error.ts";
import { readOpus } from "../../src/speech/ogg.ts";
import { createSynthesizer, type SynthesizerOptions } from "../../src/speech/synthesis.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { rejection } from "../agent/turn.ts";
import { fakeClock } from "../support/clock.ts";
import { opusFile } from "./opus.ts";
import { nobody, standIn } from "./stand-in.ts";

const key = "key-77fe-not-to-be-seen";
const never = new AbortController().signal;
const ffmpeg = findExecutable("ffmpeg");
const server = standIn();
const folder = mkdtempSync(join(tmpdir(), "revka-synthesis-"));
const target = join(folder, "note.ogg");
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

let sound: Uint8Array<ArrayBuffer>;
beforeEach(() => {
  sound = opusFile(2.4);
  server.seen = [];
  server.respond = ({ path }) =>
    path.includes("/google/")
      ? Response.json({ audioContent: Buffer.from(sound).toString("base64") })
      : new Response(sound);
  rmSync(target, { force: true });
});

const voiceId = "21m00Tcm4TlvDq8ikWAM";
const providers = {
  openai: { default_provider: "openai", openai: { api_key: key } },
  elevenlabs: {
    default_provider: "elevenlabs",
    default_voice: voiceId,
    elevenlabs: { api_key: key },
  },
  google: { default_provider: "google", google: { api_key: key } },
  piper: { default_provider: "piper", piper: { api_url: `${server.url}/piper/speech` } },
};
const everyProvider = Object.entries(providers);

function synthesizer(
  config: Record<string, unknown> = providers.openai,
  changes: Partial<SynthesizerOptions> = {},
) {
  const created = createSynthesizer({
    config: configSchema.parse({ tts: { enabled: true, ...config } }).tts,
    env: { PATH: process.env["PATH"] },
    fetchFor: () => fetch,
    clock: systemClock,
    log: silentLog,
    ffmpeg: null,
    baseUrls: {
      openai: `${server.url}/openai/`,
      elevenlabs: `${server.url}/elevenlabs`,
      googleTextToSpeech: `${server.url}/google`,
    },
    ...changes,
  });
  if (!created) throw new Error("speech is off");
  return created;
}

test("off is null", () => {
  const config = configSchema.parse({}).tts;
  const shared = { env: {}, fetchFor: () => fetch, clock: systemClock, log: silentLog };
  expect(createSynthesizer({ config, ffmpeg: null, ...shared })).toBeNull();
});

describe("the wire", () => {
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

  test("piper: without a key; asked for WAV where it knows no Opus", async () => {
    server.respond = ({ json }) =>
      JSON.stringify(json).includes("opus")
        ? new Response("unknown format", { status: 422 })
        : new Response(sound);
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
});

describe("a voice note", () => {
  test.each(everyProvider)(
    "of %s is the file it gave, when that is Ogg/Opus mono",
    async (_, config) => {
      const spoken = synthesizer(config);
      expect(await spoken.synthesize("Hi", target, never)).toEqual({
        path: target,
        mimeType: "audio/ogg; codecs=opus",
        durationSecs: 2,
      });
      expect(new Uint8Array(await readFile(target))).toEqual(sound);
      expect(statSync(target).mode & 0o777).toBe(0o600);
      expect(existsSync(`${target}.part`)).toBe(false);
      expect(spoken.canVoice).toEqual({ ok: true });
    },
  );

  test.each([
    ["MP3", new Uint8Array([0x49, 0x44, 0x33, 4, 0])],
    ["Opus in stereo", opusFile(2, { channels: 2 })],
  ])("cannot be made of %s without ffmpeg, and that is said", async (_, other) => {
    sound = other;
    const spoken = synthesizer();
    expect(await spoken.synthesize("Hi", target, never)).toBeNull();
    expect(existsSync(target)).toBe(false);
    expect(spoken.canVoice).toEqual({
      ok: false,
      reason: "openai gave no Ogg/Opus mono and ffmpeg is not installed",
    });
    sound = opusFile(1);
    expect(await spoken.synthesize("Hi", target, never)).not.toBeNull();
    expect(spoken.canVoice).toEqual({ ok: true });
  });

  test("lasts at least a second", async () => {
    sound = opusFile(0.2);
    expect(await synthesizer().synthesize("Hi", target, never)).toMatchObject({ durationSecs: 1 });
  });

  test("is not made of silence", async () => {
    sound = opusFile(0);
    expect(await rejection(synthesizer().synthesize("Hi", target, never))).toMatchObject({
      detail: "the sound is empty",
    });
  });

  test("that cannot be written leaves nothing behind", async () => {
    const missing = join(folder, "missing", "note.ogg");
    expect(await rejection(synthesizer().synthesize("Hi", missing, never))).toMatchObject({
      detail: "the voice note cannot be written",
    });
  });
});

describe("is not asked for", () => {
  test.each([
    ["nothing to say", providers.openai, "```\ncode\n```"],
    ["more than max_text_length", { ...providers.openai, max_text_length: 5 }, "Hello!"],
    ["more than openai takes", { ...providers.openai, max_text_length: 9999 }, "a".repeat(4097)],
    ["more than google takes", { ...providers.google, max_text_length: 9999 }, "é".repeat(2501)],
  ])("%s", async (_, config, text) => {
    expect(await synthesizer(config).synthesize(text, target, never)).toBeNull();
    expect(server.seen).toEqual([]);
  });
});

describe("what is missing is said", () => {
  test.each([
    [{ default_provider: "openai" }, "set [tts.openai] api_key or OPENAI_API_KEY"],
    [{ default_provider: "google" }, "set [tts.google] api_key or GOOGLE_API_KEY"],
    [{ default_provider: "elevenlabs" }, "set [tts.elevenlabs] api_key or ELEVENLABS_API_KEY"],
    [{ ...providers.elevenlabs, default_voice: undefined }, "set [tts] default_voice"],
    [{ default_provider: "piper", piper: { api_url: "here" } }, "set [tts.piper] api_url"],
    [
      { default_provider: "edge", edge: { binary_path: "revka-no-edge" } },
      "revka-no-edge is not installed",
    ],
    [{ default_provider: "edge", edge: { binary_path: "sh" } }, "ffmpeg is not installed"],
  ])("%p", async (config, reason) => {
    const unready = synthesizer(config);
    expect(unready.canVoice).toEqual({ ok: false, reason: expect.stringContaining(reason) });
    expect(await unready.synthesize("Hi", target, never)).toBeNull();
    expect(server.seen).toEqual([]);
  });

  test.each([
    ["openai", "OPENAI_API_KEY", "authorization", `Bearer ${key}`],
    ["google", "GOOGLE_API_KEY", "x-goog-api-key", key],
    ["elevenlabs", "ELEVENLABS_API_KEY", "xi-api-key", key],
  ])("%s takes %s", async (default_provider, variable, header, value) => {
    const config = { default_provider, default_voice: voiceId };
    await synthesizer(config, { env: { [variable]: key } }).synthesize("Hi", target, never);
    expect(server.seen[0]?.headers.get(header)).toBe(value);
  });
});

describe.each(everyProvider)("failures of %s", (name, config) => {
  test.each([
    [401, false],
    [404, false],
    [302, false],
    [429, true],
    [500, true],
  ])("status %d, worth repeating: %p, without the key it echoes", async (status, retryable) => {
    server.respond = ({ headers }) =>
      new Response(JSON.stringify([...headers]), {
        status,
        headers: { location: `${server.url}/stolen` },
      });
    const error = await rejection(synthesizer(config).synthesize("Hi", target, never));
    expect(error).toBeInstanceOf(SpeechError);
    expect(error).toMatchObject({
      retryable,
      detail: expect.stringContaining(`${name} answered with status ${status}`),
    });
    expect(Bun.inspect(error)).not.toContain(key);
    expect(server.seen).toHaveLength(1);
  });

  test("an endless answer", async () => {
    server.respond = () =>
      new Response(
        new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(4 * 1024 * 1024)) }),
      );
    expect(await rejection(synthesizer(config).synthesize("Hi", target, never))).toMatchObject({
      detail: expect.stringContaining("is longer than"),
    });
  });

  test("no answer in time", async () => {
    server.respond = () => new Promise(() => {});
    const clock = fakeClock();
    const arrived = server.next();
    const run = rejection(synthesizer(config, { clock }).synthesize("Hi", target, never));
    await arrived;
    await clock.advance(60_000);
    expect(await run).toMatchObject({ detail: `${name} did not answer within 60 seconds` });
    expect(clock.pending).toBe(0);
  });

  test("an aborted one rejects with the signal's reason", async () => {
    server.respond = () => new Promise(() => {});
    const controller = new AbortController();
    const arrived = server.next();
    const run = rejection(synthesizer(config).synthesize("Hi", target, controller.signal));
    await arrived;
    controller.abort(new Error("enough"));
    expect(await run).toEqual(new Error("enough"));
  });
});

test("nobody there", async () => {
  const piper = { api_url: `${await nobody()}/speech` };
  const error = await rejection(
    synthesizer({ default_provider: "piper", piper }).synthesize("Hi", target, never),
  );
  expect(error).toMatchObject({
    retryable: true,
    detail: expect.stringMatching(/^cannot reach piper \(\w+\)$/),
  });
});

describe("edge-tts", () => {
  const binary = join(folder, "edge-tts");
  const install = (script: string) => {
    writeFileSync(binary, `#!/bin/sh\n${script}\n`);
    chmodSync(binary, 0o755);
  };
  const edge = (config: object = {}, changes: Partial<SynthesizerOptions> = {}) =>
    synthesizer(
      { default_provider: "edge", edge: { binary_path: binary }, ...config },
      { ffmpeg: "/usr/bin/ffmpeg", ...changes },
    );
  const seen = () => readFile(join(folder, "seen"), "utf8");

  test("gets the text on its input, and no key, voice of another service or proxy", async () => {
    writeFileSync(join(folder, "sound"), opusFile(2));
    install(
      `{ echo "$@"; cat; echo; env | cut -d= -f1 | sort; } > '${folder}/seen'; cat '${folder}/sound'`,
    );
    const env = { PATH: process.env["PATH"], OPENAI_API_KEY: key, HTTPS_PROXY: "http://p" };
    const note = await edge({}, { env }).synthesize("--list-voices", target, never);
    expect(note).toMatchObject({ durationSecs: 2 });
    const [args, text, ...names] = (await seen()).trim().split("\n");
    expect(args).toBe("--file -");
    expect(text).toBe("--list-voices");
    expect(names).not.toContain("OPENAI_API_KEY");
    expect(names).not.toContain("HTTPS_PROXY");
  });

  test("gets a voice of its own, and the proxy that is meant for it", async () => {
    const services: string[] = [];
    const proxyUrlFor = (service: string, url: URL) => {
      services.push(`${service} ${url.host}`);
      return "http://proxy.example:3128/";
    };
    await edge({ default_voice: "de-DE-KatjaNeural" }, { proxyUrlFor }).synthesize(
      "Hi",
      target,
      never,
    );
    expect((await seen()).split("\n")[0]).toBe(
      "--file - --voice=de-DE-KatjaNeural --proxy=http://proxy.example:3128/",
    );
    expect(services).toEqual(["tts.edge speech.platform.bing.com"]);
  });

  test.each(["socks5://proxy.example:1080", "http://ada:secret@proxy.example:3128"])(
    "does not go out by itself where its proxy is %s",
    async (url) => {
      rmSync(join(folder, "seen"), { force: true });
      const error = await rejection(
        edge({}, { proxyUrlFor: () => url }).synthesize("Hi", target, never),
      );
      expect(error).toMatchObject({ detail: expect.stringContaining("http proxy") });
      expect(existsSync(join(folder, "seen"))).toBe(false);
    },
  );

  test.each([
    ["exit 3", "edge-tts ended with exit code 3"],
    ["true", "edge-tts gave no sound"],
  ])("that does %p has failed", async (script, detail) => {
    install(script);
    expect(await rejection(edge().synthesize("Hi", target, never))).toMatchObject({ detail });
  });

  test("that never ends is ended", async () => {
    install(`echo > '${folder}/started'; exec sleep 60`);
    const clock = fakeClock();
    const run = rejection(edge({}, { clock }).synthesize("Hi", target, never));
    while (!existsSync(join(folder, "started"))) await Bun.sleep(2);
    await clock.advance(60_000);
    expect(await run).toMatchObject({ detail: "edge-tts was not done within 60 seconds" });
  });
});

describe.skipIf(!ffmpeg)("through ffmpeg", () => {
  const make = async (...options: string[]): Promise<Uint8Array<ArrayBuffer>> => {
    const child = Bun.spawn([ffmpeg ?? "", "-loglevel", "error", ...options, "pipe:1"]);
    return new Uint8Array(await new Response(child.stdout).arrayBuffer());
  };
  const tone = (seconds: number) => ["-f", "lavfi", "-i", `sine=frequency=440:duration=${seconds}`];
  const withFfmpeg = (config?: object) =>
    synthesizer(config ? { ...config } : undefined, { ffmpeg });

  test.each([
    ["MP3", [...tone(3), "-f", "mp3"]],
    ["WAV", [...tone(3), "-f", "wav"]],
    ["FLAC", [...tone(3), "-f", "flac"]],
    ["Ogg/Opus in stereo", [...tone(3), "-ac", "2", "-c:a", "libopus", "-f", "ogg"]],
  ])("%s becomes Ogg/Opus mono", async (_, options) => {
    sound = await make(...options);
    const spoken = withFfmpeg();
    expect(await spoken.synthesize("Hi", target, never)).toMatchObject({ durationSecs: 3 });
    const written = readOpus(new Uint8Array(await readFile(target)));
    expect(written?.channels).toBe(1);
    expect(Math.abs((written?.durationSecs ?? 0) - 3)).toBeLessThan(0.1);
    expect(spoken.canVoice).toEqual({ ok: true });
  });

  test("what is Ogg/Opus mono already stays as it is", async () => {
    sound = await make(...tone(2), "-ac", "1", "-c:a", "libopus", "-f", "ogg");
    await withFfmpeg().synthesize("Hi", target, never);
    expect(new Uint8Array(await readFile(target))).toEqual(sound);
  });

  test("a long one is made small enough to have a play button", async () => {
    const noise = "anoisesrc=duration=190:color=pink:seed=1:sample_rate=16000";
    const fast = ["-c:a", "libopus", "-compression_level", "0", "-b:a", "48k", "-f", "ogg"];
    sound = await make("-f", "lavfi", "-i", noise, ...fast);
    expect(sound.length).toBeGreaterThan(512 * 1024);
    expect(await withFfmpeg().synthesize("Hi", target, never)).toMatchObject({ durationSecs: 190 });
    expect(statSync(target).size).toBeLessThanOrEqual(512 * 1024);
  }, 20_000);

  test.each([
    ["HTML", new TextEncoder().encode("<html>not found</html>"), "no sound that is known"],
    [
      "a playlist",
      new TextEncoder().encode("#EXTM3U\nfile:///etc/passwd\n"),
      "no sound that is known",
    ],
    ["a broken WAV", new TextEncoder().encode("RIFF0000WAVE and nothing"), "ffmpeg"],
  ])("%s is no sound", async (_, other, detail) => {
    sound = other;
    expect(await rejection(withFfmpeg().synthesize("Hi", target, never))).toMatchObject({
      detail: expect.stringContaining(detail),
    });
    expect(existsSync(target)).toBe(false);
  });
});
