import { expect, test } from "bun:test";
import { readFramesDuration } from "../../src/speech/frames.ts";
import {
  aacChecked,
  aacDouble,
  aacFrame,
  aacLong,
  frames,
  id3,
  join,
  mp2Frame,
  mp2Half,
  mp3Frame,
  mp3Half,
  mp3Quarter,
  mp3Small,
  mp3Within,
} from "./sound-files.ts";

const mp3 = frames(100, mp3Frame);
const mp3Seconds = (100 * 1152) / 44_100;
const noise = (bytes: number, seed: number) => {
  let state = seed;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
};
const amr = (mark: string, ...parts: Uint8Array[]) => join(Buffer.from(mark), ...parts);

test.each([
  ["MP3", mp3, mp3Seconds],
  ["MP3 of changing rate", join(mp3, frames(100, mp3Small)), 2 * mp3Seconds],
  ["MP3 of padded frames", frames(100, mp3Small), mp3Seconds],
  ["MP3 of half the rate", frames(100, mp3Half), (100 * 576) / 22_050],
  ["MP3 of a quarter of the rate", frames(100, mp3Quarter), (100 * 576) / 8_000],
  ["MP2", frames(100, mp2Frame), (100 * 1152) / 48_000],
  ["MP2 of half the rate", frames(100, mp2Half), (100 * 1152) / 22_050],
  ["AAC", frames(100, aacFrame), (100 * 1024) / 16_000],
  ["AAC with two blocks a frame", frames(100, aacDouble), (200 * 1024) / 16_000],
  ["AAC with checksums", frames(100, aacChecked), (100 * 1024) / 16_000],
  ["AAC of long frames", frames(100, aacLong), (100 * 1024) / 16_000],
  ["MP3 in whose sound another frame seems to begin", frames(100, mp3Within), mp3Seconds],
  ["AMR", amr("#!AMR\n", frames(50, new Uint8Array(32).fill(0x3c, 0, 1))), 1],
  ["AMR with silence", amr("#!AMR\n", frames(50, Uint8Array.of(0x7c))), 1],
  ["AMR-WB", amr("#!AMR-WB\n", frames(100, new Uint8Array(61).fill(0x44, 0, 1))), 2],
  ["AMR without sound", amr("#!AMR\n"), 0],
  ["one frame", mp3Frame, 1152 / 44_100],
  ["a frame cut off, as players play it", mp3.subarray(0, -400), mp3Seconds],
  ["what stands behind a tag", join(id3(5_000), mp3), mp3Seconds],
  ["what stands behind two, one with a footer", join(id3(300, 0x10), id3(16_000), mp3), mp3Seconds],
  ["what begins late", join(new Uint8Array(4_000), mp3), mp3Seconds],
  ["what ends in another tag", join(mp3, Buffer.from("TAG"), new Uint8Array(125)), mp3Seconds],
  ["what has a gap", join(mp3, new Uint8Array(300), mp3), 2 * mp3Seconds],
  ["what is made to be slow to read", join(mp3, new Uint8Array(1_000_000).fill(0xff)), Infinity],
])("duration of %s", (_, file, seconds) => {
  expect(readFramesDuration(file)).toBeCloseTo(seconds, 6);
});

test.each([
  ["nothing", new Uint8Array()],
  ["a picture", Buffer.from("\u00ff\u00d8\u00ff\u00e0 and more", "latin1")],
  ["two frames in other bytes", join(frames(2, mp3Frame), new Uint8Array(5_000))],
  ["what begins too late", join(new Uint8Array(5_000), mp3)],
  ["frames shorter than their heads", frames(100, Uint8Array.of(0xff, 0xf1, 0x60, 0, 0, 0xc0))],
  ["layer I", frames(100, join([0xff, 0xff, 0x90, 0], new Uint8Array(518)))],
  ["a version that is none", frames(100, join([0xff, 0xeb, 0x90, 0], new Uint8Array(518)))],
  ["a tag alone", id3(100)],
  ["a tag longer than the file", id3(16_000).subarray(0, 50)],
  ["a rate of its own", frames(100, join([0xff, 0xfb, 0x00, 0], new Uint8Array(413)))],
])("%s has none", (_, file) => {
  expect(readFramesDuration(file)).toBeNull();
});

test("whatever the bytes are, the answer is null or a time", () => {
  for (let seed = 0; seed < 500; seed++) {
    const file = noise(2_000, seed);
    for (const each of [file, join(mp3.subarray(0, seed * 3), file), join(id3(seed), file)]) {
      const seconds = readFramesDuration(each);
      expect(seconds === null || seconds >= 0).toBe(true);
    }
  }
});

test("noise behind the sound adds next to nothing to it", () => {
  expect(readFramesDuration(join(mp3, noise(100_000, 1)))).toBeLessThan(mp3Seconds + 4);
});
