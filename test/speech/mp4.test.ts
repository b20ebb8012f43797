import { describe, expect, test } from "bun:test";
import { readMp4Duration } from "../../src/speech/mp4.ts";
import {
  aacSound,
  amrSound,
  box,
  fragment,
  frames,
  join,
  movieHeader,
  track,
} from "./sound-files.ts";

const kind = box("ftyp", Buffer.from("M4A \0\0\0\0"));
const sound = box("mdat", new Uint8Array(1_000));
const header = movieHeader(0, 1_000, 37_300n);
const movie = box("moov", header);
const file = join(kind, sound, movie);

test.each([
  ["at the end", file],
  ["at the start", join(kind, movie, sound)],
  ["without a kind", join(sound, movie)],
  [
    "behind other boxes of its own",
    join(kind, box("moov", join(box("iods", new Uint8Array(9)), header))),
  ],
  ["behind an empty box", join(kind, box("free", new Uint8Array()), movie)],
  ["of 64 bits", join(kind, box("moov", movieHeader(1, 48_000, 1_790_400n)))],
  ["behind a box with a long size", join(kind, box("mdat", new Uint8Array(50), "long"), movie)],
  ["in a box with a long size", join(kind, box("moov", header, "long"))],
  ["in a box that goes to the end", join(kind, box("moov", header, "open"))],
])("a movie header %s tells the duration", (_, each) => {
  expect(readMp4Duration(each)).toBe(37.3);
});

test.each([
  ["nothing", new Uint8Array()],
  ["another file", Buffer.from("OggS and more than sixteen bytes")],
  ["one without a movie", join(kind, sound)],
  ["a movie without a header", join(kind, box("moov", box("trak", new Uint8Array(50))))],
  ["a long size cut off", join(kind, Buffer.from("\0\0\0\u0001mdat\0\0\0\0", "latin1"))],
  ["a header cut off", file.subarray(0, -90)],
  ["one in fragments", join(kind, box("moov", movieHeader(0, 1_000, 0n)))],
  ["what could not be told", join(kind, box("moov", movieHeader(0, 1_000, 0xffff_ffffn)))],
  ["the same in 64 bits", join(kind, box("moov", movieHeader(1, 1_000, 2n ** 64n - 1n)))],
  ["no units at all", join(kind, box("moov", movieHeader(0, 0, 5n)))],
  ["a box shorter than its head", join(kind, Uint8Array.of(0, 0, 0, 4), movie)],
])("%s tells none", (_, each) => {
  expect(readMp4Duration(each)).toBeNull();
});

describe("frames are counted where they play longer than the header says", () => {
  /** 44,100 Hz. */
  const aac = aacSound(2, 4);
  const told = movieHeader(0, 1_000, 10_000n);
  const film = (...boxes: Uint8Array[]) => join(kind, box("moov", join(told, ...boxes)), sound);
  const of44 = (count: number) => (count * 1_024) / 44_100;

  test.each<[string, Uint8Array, number]>([
    ["AAC", film(track(aac, 5_000)), of44(5_000)],
    ["AAC with long lengths", film(track(aacSound(2, 4, true), 5_000)), of44(5_000)],
    ["AAC of HE, at 8,000 Hz", film(track(aacSound(5, 11), 5_000)), 640],
    ["AAC of HE, version 2", film(track(aacSound(29, 11), 5_000)), 640],
    ["a compact table", film(track(aac, 5_000, "stz2")), of44(5_000)],
    ["AMR", film(track(amrSound("samr", 1), 5_000)), 100],
    ["AMR, wide", film(track(amrSound("sawb", 1), 5_000)), 100],
    ["AMR in tens", film(track(amrSound("samr", 10), 5_000)), 1_000],
    ["AMR of nothing", film(track(amrSound("samr", 0), 5_000)), 100],
    ["the longer of two", film(track(aac, 5_000), track(aac, 50)), of44(5_000)],
    ["fragments", join(film(track(aac, 0)), fragment(1_000, 2_000), fragment(2_000)), of44(5_000)],
    [
      "fragments, and a header that tells nothing",
      join(box("moov", join(movieHeader(0, 1_000, 0n), track(aac, 0))), fragment(9)),
      of44(9),
    ],
    ["too many tracks", film(frames(10_001, track(aac, 1))), Infinity],
    ["too many fragments", join(film(track(aac, 1)), frames(10_001, fragment(0))), Infinity],
  ])("%s", (_, each, seconds) => {
    expect(readMp4Duration(each)).toBeCloseTo(seconds, 6);
  });

  test.each<[string, Uint8Array]>([
    ["as much but for a second", film(track(aac, 470))],
    ["less", film(track(aac, 100))],
    ["of a kind that is not known", film(track(box("alac", new Uint8Array(99)), 5_000))],
    ["of AAC with short frames", film(track(aacSound(23, 4), 5_000))],
    ["at a rate that is not known", film(track(aacSound(2, 15), 5_000))],
    ["without settings", film(track(box("mp4a", new Uint8Array(99)), 5_000))],
    [
      "fragments of nobody knows which track",
      join(film(track(aac, 1), track(aac, 1)), fragment(5_000)),
    ],
  ])("but not %s", (_, each) => {
    expect(readMp4Duration(each)).toBe(10);
  });

  test("a file with any of its bytes changed tells a time or none", () => {
    const whole = join(film(track(aac, 5_000)), fragment(7));
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const seconds = readMp4Duration(whole.with(at, value));
        expect(seconds === null || seconds > 0).toBe(true);
      }
    }
  });
});

test("a file with any of its bytes changed tells a time or none", () => {
  for (let at = 0; at < file.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Uint8Array.from(file);
      changed[at] = value;
      const seconds = readMp4Duration(changed);
      expect(seconds === null || seconds > 0).toBe(true);
    }
  }
});

test("a view into a larger buffer is read from its own start", () => {
  const larger = join(new Uint8Array(50), file, new Uint8Array(50));
  expect(readMp4Duration(larger.subarray(50, 50 + file.length))).toBe(37.3);
});
