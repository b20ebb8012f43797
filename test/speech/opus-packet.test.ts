import { describe, expect, test } from "bun:test";
import { samplesOfPacket } from "../../src/speech/opus-packet.ts";

/** RFC 6716, table 2: ms of a frame, by the five bits of a packet's configuration. */
const frames = [
  ...Array(3).fill([10, 20, 40, 60]),
  ...Array(2).fill([10, 20]),
  ...Array(4).fill([2.5, 5, 10, 20]),
].flat() as number[];
const samples = (ms: number) => ms * 48;

describe("the samples of an Opus packet", () => {
  test.each(frames.map((ms, configuration) => [configuration, ms] as const))(
    "of configuration %d: a frame is %d ms",
    (configuration, ms) => {
      expect(samplesOfPacket(configuration << 3, 0)).toBe(samples(ms));
    },
  );

  test.each([
    ["one frame", 0, 0, 1],
    ["two of one size", 1, 0, 2],
    ["two of their own sizes", 2, 0, 2],
    ["as many as its second byte says", 3, 5, 5],
    ["as many, whatever the other bits of that byte say", 3, 0b1100_0000 | 5, 5],
    ["none", 3, 0, 0],
  ])("%s", (_, code, second, count) => {
    const configuration = frames.lastIndexOf(10);
    expect(samplesOfPacket((configuration << 3) | code, second)).toBe(samples(10 * count));
  });

  test("are 120 ms at most, which is all that a packet may hold", () => {
    const configuration = frames.lastIndexOf(20);
    expect(samplesOfPacket((configuration << 3) | 3, 6)).toBe(samples(120));
    expect(samplesOfPacket((configuration << 3) | 3, 7)).toBe(samples(120));
  });
});
