import { afterAll, beforeEach, describe, expect, mock, test } from "bun:test";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { ttsSchema } from "../../src/config/schema-speech.ts";
import type { Network } from "../../src/net/fetch.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { createSpeech } from "../../src/speech/configured.ts";
import { SpeechError } from "../../src/speech/error.ts";
import { createSynthesizer } from "../../src/speech/synthesis.ts";
import { type LogFields, silentLog } from "../../src/telemetry/log.ts";
import { rejection } from "../support/rejection.ts";
import { fakeClock } from "../support/clock.ts";
import { settle } from "../support/settle.ts";
import { opusFile } from "./opus.ts";
import { nobody } from "./stand-in.ts";
import { key, synthesisBench, voiceId } from "./synthesis-bench.ts";

const never = new AbortController().signal;
const bench = synthesisBench();
const { server, folder, target, providers, everyProvider, synthesizer } = bench;
beforeEach(bench.reset);
afterAll(bench.stop);

test("off is null", () => {
  const config = v.parse(ttsSchema, {});
  const shared = { env: {}, fetchFor: () => fetch, clock: systemClock, log: silentLog };
  expect(createSynthesizer({ config, ffmpeg: null, ...shared })).toBeNull();
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
      expect(new Uint8Array(await readFile(target))).toEqual(bench.sound);
      expect(statSync(target).mode & 0o777).toBe(0o600);
      expect(existsSync(`${target}.part`)).toBe(false);
      expect(spoken.canVoice).toEqual({ ok: true });
    },
  );

  test.each([
    ["MP3", new Uint8Array([0x49, 0x44, 0x33, 4, 0])],
    ["Opus in stereo", opusFile(2, { channels: 2 })],
  ])("cannot be made of %s without ffmpeg, and that is said", async (_, other) => {
    bench.sound = other;
    const spoken = synthesizer();
    expect(await spoken.synthesize("Hi", target, never)).toBeNull();
    expect(existsSync(target)).toBe(false);
    expect(spoken.canVoice).toEqual({
      ok: false,
      reason: "openai gave no Ogg/Opus mono and ffmpeg is not installed",
    });
    bench.sound = opusFile(1);
    expect(await spoken.synthesize("Hi", target, never)).not.toBeNull();
    expect(spoken.canVoice).toEqual({ ok: true });
  });

  test("lasts at least a second", async () => {
    bench.sound = opusFile(0.2);
    expect(await synthesizer().synthesize("Hi", target, never)).toMatchObject({ durationSecs: 1 });
  });

  test("is not made of silence", async () => {
    bench.sound = opusFile(0);
    expect(await rejection(synthesizer().synthesize("Hi", target, never))).toMatchObject({
      detail: "the sound is empty",
    });
  });

  test("that cannot be written leaves nothing behind", async () => {
    const inTheWay = join(folder, "folder");
    mkdirSync(inTheWay);
    for (const place of [join(folder, "missing", "note.ogg"), inTheWay]) {
      expect(await rejection(synthesizer().synthesize("Hi", place, never))).toMatchObject({
        retryable: true,
        detail: "the voice note cannot be written",
      });
      expect(existsSync(`${place}.part`)).toBe(false);
    }
  });

  test.each([
    ["is allowed", { ...providers.openai, max_text_length: 5 }, "Hello"],
    ["openai takes", { ...providers.openai, max_text_length: 9999 }, "a".repeat(4096)],
    ["google takes", { ...providers.google, max_text_length: 9999 }, "é".repeat(2500)],
    ["elevenlabs takes", { ...providers.elevenlabs, max_text_length: 99_999 }, "a".repeat(10_000)],
  ])("is made of as much as %s", async (_, config, text) => {
    expect(await synthesizer(config).synthesize(text, target, never)).not.toBeNull();
  });
});

test.each([
  ...everyProvider,
  ["edge", { default_provider: "edge", edge: { binary_path: "sh" } }] as const,
])("%s with all it needs can voice from the start, and warns of nothing", (_, config) => {
  const warn = mock();
  const ready = synthesizer(config, { ffmpeg: "/usr/bin/ffmpeg", log: { ...silentLog, warn } });
  expect(ready.canVoice).toEqual({ ok: true });
  expect(warn).not.toHaveBeenCalled();
});

test("an operator reads why answers are not spoken, at the start or later", async () => {
  const warned: string[] = [];
  const warn = (_: LogFields, message: string) => warned.push(message);
  const log = { ...silentLog, warn };
  synthesizer({ default_provider: "openai" }, { log });
  bench.sound = opusFile(2, { channels: 2 });
  await synthesizer(undefined, { log }).synthesize("Hi", target, never);
  expect(warned).toEqual([
    "answers are not spoken: no key: set [tts.openai] api_key or OPENAI_API_KEY",
    "an answer is not spoken: openai gave no Ogg/Opus mono and ffmpeg is not installed",
  ]);
});

describe("is not asked for", () => {
  test.each([
    ["nothing to say", providers.openai, "```\ncode\n```"],
    ["more than max_text_length", { ...providers.openai, max_text_length: 5 }, "Hello!"],
    ["more than openai takes", { ...providers.openai, max_text_length: 9999 }, "a".repeat(4097)],
    ["more than google takes", { ...providers.google, max_text_length: 9999 }, "é".repeat(2501)],
    [
      "more than elevenlabs takes",
      { ...providers.elevenlabs, max_text_length: 99_999 },
      "a".repeat(10_001),
    ],
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
    expect(Bun.inspect(error)).not.toContain(key);
    expect(error).toMatchObject({
      retryable,
      detail: expect.stringContaining(`${name} answered with status ${status}`),
    });
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

describe("what a configuration asks for is asked again where that may help", () => {
  const config = v.parse(configSchema, {
    tts: { enabled: true, openai: { api_key: key } },
  });
  const speaking = async (answers: (() => Response)[]) => {
    const clock = fakeClock();
    let asked = 0;
    const network: Network = {
      fetchFor: () => async () => (answers[asked++] ?? Response.error)(),
      proxyUrlFor: () => null,
      close: async () => {},
    };
    const env = { PATH: "" };
    const { synthesizer } = await createSpeech({ config, env, network, clock, log: silentLog });
    if (!synthesizer) throw new Error("off");
    return { clock, synthesizer, asked: () => asked };
  };
  const refused = () => {
    throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  };
  const busy = (status: number) => () => new Response("", { status });
  const sound = () => new Response(opusFile(2));

  test("a busy service, and one that is restarted", async () => {
    const { clock, synthesizer, asked } = await speaking([busy(429), refused, sound]);
    const spoken = synthesizer.synthesize("Hi", target, never);
    for (const [pause, tries] of [
      [999, 1],
      [1, 2],
      [3_999, 2],
      [1, 3],
    ] as const) {
      await settle();
      await clock.advance(pause);
      await settle();
      expect(asked()).toBe(tries);
    }
    expect(await spoken).toMatchObject({ path: target, durationSecs: 2 });
  });

  test("one that stays busy is given up", async () => {
    const { clock, synthesizer, asked } = await speaking(Array(9).fill(busy(503)));
    const spoken = rejection(synthesizer.synthesize("Hi", target, never));
    for (let second = 0; second < 6; second++) {
      await settle();
      await clock.advance(1_000);
    }
    expect(await spoken).toMatchObject({ status: 503 });
    expect(asked()).toBe(3);
  });

  test.each<[string, () => Response]>([
    ["a refused key", busy(401)],
    ["a sound that is none", () => new Response("no sound")],
  ])("%s is not", async (_, answer) => {
    const { synthesizer, asked } = await speaking([answer, sound]);
    await synthesizer.synthesize("Hi", target, never).catch(() => {});
    expect(asked()).toBe(1);
  });
});
