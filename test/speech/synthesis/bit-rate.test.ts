import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/runtime/clock.ts";
import { makeVoiceNote } from "../../../src/speech/synthesis/voice-note.ts";
import { temporaryFolder } from "../../support/store.ts";
import { opusFile } from "../opus.ts";

const never = new AbortController().signal;
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

const mp3 = new Uint8Array([0x49, 0x44, 0x33, 4, 0]);
const playable = 512 * 1024;

/** A voice note of so many seconds and bytes: what lies behind its last page is passed over. */
function note(seconds: number, bytes = 0): Uint8Array {
  const file = opusFile(seconds);
  const padded = new Uint8Array(Math.max(bytes, file.length));
  padded.set(file);
  return padded;
}

/** Makes a note through a stand-in for ffmpeg that gives these sounds, one a call. Answers it and the bit rates. */
async function make(sound: Uint8Array, ...given: Uint8Array[]) {
  const ffmpeg = join(folder.path, "ffmpeg");
  const calls = join(folder.path, "calls");
  for (const [at, each] of given.entries()) writeFileSync(join(folder.path, `${at + 1}`), each);
  writeFileSync(
    ffmpeg,
    `#!/bin/sh\necho "$*" >> '${calls}'\ncat > /dev/null\ncat "${folder.path}/$(wc -l < '${calls}' | tr -d ' ')"\n`,
  );
  chmodSync(ffmpeg, 0o755);
  const env = { PATH: process.env["PATH"] };
  const made = await makeVoiceNote(sound, { ffmpeg, env, clock: systemClock }, never);
  const lines = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
  return { made, rates: lines.map((line) => Number(/ -b:a (\d+) /.exec(line)?.[1])) };
}

test("what can be played is taken as it is, to the byte", async () => {
  const ready = note(190, playable);
  expect(await make(ready)).toEqual({ made: { data: ready, durationSecs: 190 }, rates: [] });
});

test("another sound is converted once, where that can be played", async () => {
  const given = note(190, playable);
  expect(await make(mp3, given)).toEqual({
    made: { data: given, durationSecs: 190 },
    rates: [32_000],
  });
});

test("what is too large then is converted again, so that it fits with a tenth to spare", async () => {
  const [large, small] = [note(190, playable + 1), note(190, 400_000)];
  expect(await make(mp3, large, small)).toEqual({
    made: { data: small, durationSecs: 190 },
    rates: [32_000, 19_867],
  });
});

test("what is a voice note, but too large, is converted once, whatever comes of it", async () => {
  const large = note(190, playable + 1);
  const still = note(190, playable + 2);
  expect(await make(large, still)).toEqual({
    made: { data: still, durationSecs: 190 },
    rates: [19_867],
  });
});

test("no speech is made that could not be followed, and none better than usual", async () => {
  expect((await make(note(2_000, playable + 1), note(2_000))).rates).toEqual([10_000]);
  folder.remove();
  folder = temporaryFolder();
  expect((await make(note(0.5, playable + 1), note(0.5))).rates).toEqual([32_000]);
});

test.each([
  ["no sound", new Uint8Array([1])],
  ["stereo", opusFile(3, { channels: 2 })],
])("%s out of ffmpeg is no voice note", async (_, given) => {
  const failed = make(mp3, given);
  await expect(failed).rejects.toMatchObject({
    retryable: false,
    detail: "ffmpeg gave no Ogg/Opus mono",
  });
});
