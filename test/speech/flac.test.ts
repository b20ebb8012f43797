import { describe, expect, test } from "bun:test";
import { readFlacDuration } from "../../src/speech/flac.ts";
import { flac, flacFrame, frames, join } from "./sound-files.ts";

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

describe("frames are counted", () => {
  const rows: [string, Uint8Array, samples: number, rate: number][] = [
    ["192 samples, the usual rate", flacFrame(1, 0, [0]), 192, 44_100],
    ["4,608 samples at 8,000 Hz", flacFrame(5, 4, [5]), 4_608, 8_000],
    ["4,096 samples at 48,000 Hz", flacFrame(12, 10, [127]), 4_096, 48_000],
    ["a number of two bytes", flacFrame(12, 9, [0xc3, 0xbf]), 4_096, 44_100],
    ["a number of seven bytes", flacFrame(12, 9, [0xfe, ...Array(6).fill(0xbf)]), 4_096, 44_100],
    ["samples in a byte", flacFrame(6, 9, [0], [99]), 100, 44_100],
    ["samples in two bytes", flacFrame(7, 9, [0], [0x3, 0xe7]), 1_000, 44_100],
    ["a rate in a byte", flacFrame(12, 12, [0], [16]), 4_096, 16_000],
    ["a rate in two bytes", flacFrame(12, 13, [0], [0x3e, 0x80]), 4_096, 16_000],
    ["a rate in tens", flacFrame(12, 14, [0], [0x06, 0x40]), 4_096, 16_000],
    ["both", flacFrame(7, 13, [0], [0x3, 0xe7, 0x3e, 0x80]), 1_000, 16_000],
  ];
  test.each(rows)("%s", (_, frame, samples, rate) => {
    const file = join(flac(44_100, 44_100), frames(1_500, frame));
    expect(readFlacDuration(file)).toBeCloseTo((1_500 * samples) / rate, 6);
  });

  test("in a file that does not say how long it is", () => {
    const file = join(flac(44_100, 0), frames(100, flacFrame(12, 9, [0])));
    expect(readFlacDuration(file)).toBeCloseTo((100 * 4_096) / 44_100, 6);
  });

  test("but not where the file tells as much but for a second", () => {
    const file = join(flac(44_100, 44_100), frames(20, flacFrame(12, 9, [0])));
    expect(readFlacDuration(file)).toBe(1);
  });

  test.each<[string, Uint8Array]>([
    ["a wrong sum", flacFrame(12, 9, [0]).with(5, 0)],
    ["a size that is none", flacFrame(0, 9, [0])],
    ["a rate that is none", flacFrame(12, 15, [0])],
    ["sound that looks like a beginning", Uint8Array.of(0xff, 0xf8, 0xff, 0xf9)],
  ])("%s is no frame", (_, bytes) => {
    expect(readFlacDuration(join(flac(44_100, 44_100), frames(500, bytes)))).toBe(1);
  });

  test("too many beginnings of nothing are endless", () => {
    const file = join(flac(44_100, 44_100), frames(50_001, Uint8Array.of(0xff, 0xf8, 0, 0)));
    expect(readFlacDuration(file)).toBe(Infinity);
  });
});
