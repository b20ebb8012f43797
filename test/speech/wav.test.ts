import { expect, test } from "bun:test";
import { readWavDuration } from "../../src/speech/wav.ts";
import { chunk, join, wav, wavFormat } from "./sound-files.ts";

const sound = new Uint8Array(32_000 * 5);

test.each<[string, Uint8Array, number]>([
  ["16 bits at 16 kHz", wav(wavFormat(16_000, 2), chunk("data", sound)), 5],
  ["in stereo", wav(wavFormat(16_000, 4), chunk("data", sound)), 2.5],
  [
    "compressed, four bits a sample",
    wav(wavFormat(16_000, 1_024, 8_110), chunk("data", sound)),
    160_000 / 8_110,
  ],
  [
    "behind other chunks, one of an odd length",
    wav(chunk("LIST", new Uint8Array(33)), wavFormat(16_000, 2), chunk("data", sound)),
    5,
  ],
  [
    "with words between its format and its sound",
    wav(
      wavFormat(16_000, 2),
      chunk("LIST", Buffer.from("INFOISFT\0\0\0\u000eLavf61")),
      chunk("data", sound),
    ),
    5,
  ],
  ["a stream, of which no length is known", wav(wavFormat(16_000, 2), chunk("data", sound, 0)), 5],
  ["the same in other words", wav(wavFormat(16_000, 2), chunk("data", sound, 0xffff_ffff)), 5],
  ["with a short length that is no truth", wav(wavFormat(16_000, 2), chunk("data", sound, 9)), 5],
  [
    "with bytes a second that are no truth",
    wav(wavFormat(16_000, 2, 4_000_000), chunk("data", sound)),
    5,
  ],
  [
    "of more than 4 GiB",
    join(Buffer.from("RF64"), wav(wavFormat(16_000, 2), chunk("data", sound)).subarray(4)),
    5,
  ],
])("%s", (_, file, seconds) => {
  expect(readWavDuration(file)).toBeCloseTo(seconds, 9);
  const larger = join(new Uint8Array(50), file, new Uint8Array(50));
  expect(readWavDuration(larger.subarray(50, 50 + file.length))).toBeCloseTo(seconds, 9);
});

const file = wav(wavFormat(16_000, 2), chunk("data", new Uint8Array(320)));

test.each<[string, Uint8Array]>([
  ["nothing", new Uint8Array()],
  ["another file", Buffer.from("OggS and more than sixteen bytes, much more of them")],
  ["another RIFF", join(file.subarray(0, 8), Buffer.from("WEBP"), file.subarray(12))],
  ["a file cut off", file.subarray(0, 40)],
  ["one cut off in its format", file.subarray(0, 30)],
  ["one without a format", wav(chunk("data", sound))],
  ["one of nothing a second", wav(wavFormat(0, 0), chunk("data", sound))],
  ["one without sound", wav(wavFormat(16_000, 2))],
])("%s tells none", (_, each) => {
  expect(readWavDuration(each)).toBeNull();
});

test("a file with any of its bytes changed tells a time or none", () => {
  for (let at = 0; at < 60; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Uint8Array.from(file);
      changed[at] = value;
      const seconds = readWavDuration(changed);
      expect(seconds === null || (seconds >= 0 && seconds < Infinity)).toBe(true);
    }
  }
});
