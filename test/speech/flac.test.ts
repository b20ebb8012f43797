import { expect, test } from "bun:test";
import { readFlacDuration } from "../../src/speech/flac.ts";
import { flac, join } from "./sound-files.ts";

test.each([
  [44_100, 441_000, 10],
  [8_000, 1, 1 / 8_000],
  [1_048_575, 2 ** 36 - 1, (2 ** 36 - 1) / 1_048_575],
])("%d Hz, %d samples", (rate, samples, seconds) => {
  const file = flac(rate, samples);
  expect(readFlacDuration(file)).toBe(seconds);
  const larger = join(new Uint8Array(50), file, new Uint8Array(50));
  expect(readFlacDuration(larger.subarray(50, 50 + file.length))).toBe(seconds);
});

test.each<[string, Uint8Array]>([
  ["nothing", new Uint8Array()],
  ["another file", Buffer.from("OggS and more than twenty-six bytes")],
  ["a file cut off", flac(44_100, 441_000).subarray(0, 25)],
  ["a stream, of which no length is known", flac(44_100, 0)],
  ["one without a rate", flac(0, 441_000)],
])("%s tells none", (_, each) => {
  expect(readFlacDuration(each)).toBeNull();
});
