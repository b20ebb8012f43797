import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { configSchema } from "../../../src/config/schema.ts";
import type { Network } from "../../../src/net/fetch.ts";
import { createSpeech } from "../../../src/speech/configured.ts";
import { SpeechError } from "../../../src/speech/error.ts";
import type { Transcriber } from "../../../src/speech/transcription.ts";
import { persistent } from "../../../src/speech/transcription/persistent.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { rejection } from "../../support/rejection.ts";
import { fakeClock } from "../../support/clock.ts";
import { settle } from "../../support/settle.ts";
import { temporaryFolder } from "../../support/store.ts";
import { opusFile } from "../opus.ts";

const file = { path: "/voice", mimeType: null, filename: null };
const never = new AbortController().signal;

/** A transcriber that fails in turn with these, then hears; each try takes `ms`. */
function asked(failures: Error[], ms = 0) {
  const clock = fakeClock();
  let tries = 0;
  const transcriber: Transcriber = {
    provider: "groq",
    ready: { ok: true },
    accepts: () => null,
    async transcribe() {
      if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
      const failure = failures[tries++];
      if (failure) throw failure;
      return "words";
    },
  };
  return { clock, tries: () => tries, transcriber: persistent(transcriber, clock) };
}
const busy = new SpeechError("groq answered with status 429", true, 429);

test.each([
  [1, 1_000],
  [2, 5_000],
])("a service that is busy %d times is heard after %d ms", async (times, ms) => {
  const { clock, transcriber, tries } = asked(Array.from({ length: times }, () => busy));
  const heard = transcriber.transcribe(file, never);
  for (let passed = 0; passed < ms; passed += 1_000) {
    await settle();
    expect(tries()).toBeLessThan(times + 1);
    await clock.advance(1_000);
  }
  expect(await heard).toBe("words");
});

test("one that stays busy is given up", async () => {
  const { clock, transcriber, tries } = asked(Array.from({ length: 9 }, () => busy));
  const failed = rejection(transcriber.transcribe(file, never));
  for (let second = 0; second < 6; second++) {
    await settle();
    await clock.advance(1_000);
  }
  expect(await failed).toBe(busy);
  expect(tries()).toBe(3);
});

test.each<[string, Error, number]>([
  ["what cannot pass", new SpeechError("the key is refused", false, 401), 0],
  ["another's fault", new Error("out of time"), 0],
  ["one that took a minute", new SpeechError("groq did not answer", true), 60_000],
])("%s is not asked again", async (_, failure, ms) => {
  const { clock, transcriber, tries } = asked([failure], ms);
  const failed = rejection(transcriber.transcribe(file, never));
  await settle();
  await clock.advance(ms);
  expect(await failed).toBe(failure);
  expect(tries()).toBe(1);
});

test("so is what a configuration asks for", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "voice");
  writeFileSync(path, opusFile(1));
  const arrived = Promise.withResolvers<void>();
  const answers = [new Response("", { status: 503 }), Response.json({ text: "words" })];
  const network: Network = {
    fetchFor: () => async () => {
      arrived.resolve();
      return answers.shift() ?? Response.error();
    },
    proxyUrlFor: () => null,
    close: async () => {},
  };
  const config = v.parse(configSchema, { transcription: { enabled: true, api_key: "key" } });
  const clock = fakeClock();
  const { transcriber } = await createSpeech({ config, env: {}, network, clock, log: silentLog });
  const heard = transcriber?.transcribe({ ...file, path }, never);
  await arrived.promise;
  await settle();
  await clock.advance(1_000);
  expect(await heard).toBe("words");
  folder.remove();
});

test("a pause ends with the signal", async () => {
  const { transcriber, tries, clock } = asked([busy]);
  const stop = new AbortController();
  const failed = rejection(transcriber.transcribe(file, stop.signal));
  await settle();
  stop.abort(new Error("enough"));
  expect(await failed).toEqual(new Error("enough"));
  expect(tries()).toBe(1);
  expect(clock.pending).toBe(0);
});
