import { expect, test } from "bun:test";
import { readOpus } from "../../src/speech/ogg.ts";
import { opusFile, opusHead, page } from "./opus.ts";

const data = (granule: bigint, serial = 7) => page({ serial, granule, body: new Uint8Array(600) });
const head = (serial = 7) =>
  page({ serial, first: true, granule: 0n, body: opusHead(1, 480, 48_000) });
const inPage = (body: Uint8Array, granule: bigint) => page({ granule, body });
const vorbis = page({ first: true, granule: 0n, body: Buffer.from("\u0001vorbis") });
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

test("head and duration, less what is skipped at the start", () => {
  expect(readOpus(opusFile(3.25))).toEqual({
    channels: 1,
    inputSampleRate: 16_000,
    durationSecs: 3.25,
  });
  expect(readOpus(opusFile(1, { channels: 2, rate: 44_100 }))).toMatchObject({
    channels: 2,
    inputSampleRate: 44_100,
  });
});

test.each([
  ["two pages", join(head(), data(48_480n), data(96_480n)), 2],
  ["what looks like a page within one", join(head(), inPage(data(9_999_999n), 48_480n)), 1],
  ["a page on which no packet ends", join(head(), data(48_480n), data(-1n)), 1],
  ["a page that counts back", join(head(), data(96_480n), data(480n)), 2],
  ["a head alone", head(), 0],
  ["less sound than is skipped", join(head(), data(100n)), 0],
  ["a chain of files", join(opusFile(2), opusFile(3), opusFile(1, { serial: 9 })), 6],
  ["a chain that goes on with no Opus", join(opusFile(2), vorbis), 2],
  ["a chain of too many", join(...Array.from({ length: 65 }, () => opusFile(1))), Infinity],
  ["bytes between pages", join(head(), Buffer.from("noise"), data(96_480n)), 2],
  ["another stream's pages", join(head(), data(48_480n), data(9_999_999n, 8)), 1],
  ["a page cut off", join(head(), data(48_480n), data(96_480n).subarray(0, 20)), 1],
])("duration of %s", (_, file, seconds) => {
  expect(readOpus(file)?.durationSecs).toBe(seconds);
});

test.each([
  ["nothing", new Uint8Array()],
  ["MP3", Buffer.from("ID3\u0004 and more")],
  ["Ogg that is not Opus", vorbis],
  ["a head too short", page({ first: true, granule: 0n, body: Buffer.from("OpusHead\u0001") })],
  ["the magic word alone", Buffer.from("OggS")],
])("%s is no Ogg/Opus", (_, file) => {
  expect(readOpus(file)).toBeNull();
});

test("a view into a larger buffer is read from its own start", () => {
  const file = opusFile(5);
  const larger = new Uint8Array(file.length + 100);
  larger.set(file, 50);
  expect(readOpus(larger.subarray(50, 50 + file.length))?.durationSecs).toBe(5);
});

test("a file made to be slow to read is not", () => {
  const pages: Uint8Array[] = [];
  for (let serial = 0; serial < 20_000; serial++) pages.push(head(serial));
  for (let serial = 0; serial < 20_000; serial++) pages.push(data(1n, 1_000_000 + serial));
  const file = join(...pages);
  const started = performance.now();
  readOpus(file);
  expect(performance.now() - started).toBeLessThan(500);
});
