import { expect, test } from "bun:test";
import { readMp4Duration } from "../../src/speech/mp4.ts";
import { box, join, movieHeader } from "./sound-files.ts";

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
