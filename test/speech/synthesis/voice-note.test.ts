import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { findExecutable } from "../../../src/runtime/executable.ts";
import { readOpus } from "../../../src/speech/ogg.ts";
import { rejection } from "../../support/rejection.ts";
import { synthesisBench } from "../synthesis-bench.ts";

const ffmpeg = findExecutable("ffmpeg");
const never = new AbortController().signal;
const bench = synthesisBench();
const { target, synthesizer } = bench;
beforeEach(bench.reset);
afterAll(bench.stop);

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
    bench.sound = await make(...options);
    const spoken = withFfmpeg();
    expect(await spoken.synthesize("Hi", target, never)).toMatchObject({ durationSecs: 3 });
    const written = readOpus(new Uint8Array(await readFile(target)));
    expect(written?.channels).toBe(1);
    expect(Math.abs((written?.durationSecs ?? 0) - 3)).toBeLessThan(0.1);
    expect(spoken.canVoice).toEqual({ ok: true });
  });

  test("what is Ogg/Opus mono already stays as it is", async () => {
    bench.sound = await make(...tone(2), "-ac", "1", "-c:a", "libopus", "-f", "ogg");
    await withFfmpeg().synthesize("Hi", target, never);
    expect(new Uint8Array(await readFile(target))).toEqual(bench.sound);
  });

  test("a long one is made small enough to have a play button", async () => {
    const noise = "anoisesrc=duration=190:color=pink:seed=1:sample_rate=16000";
    const fast = ["-c:a", "libopus", "-compression_level", "0", "-b:a", "48k", "-f", "ogg"];
    bench.sound = await make("-f", "lavfi", "-i", noise, ...fast);
    expect(bench.sound.length).toBeGreaterThan(512 * 1024);
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
    bench.sound = other;
    expect(await rejection(withFfmpeg().synthesize("Hi", target, never))).toMatchObject({
      detail: expect.stringContaining(detail),
    });
    expect(existsSync(target)).toBe(false);
  });
});
