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

/** A page of that many packets, each of these bytes. */
const packets = (count: number, packet: number[], granule: bigint) => {
  const file = Buffer.from(page({ granule, body: Uint8Array.from(packet) }));
  const [header, lengths] = [file.subarray(0, 27), Buffer.alloc(count, packet.length)];
  header.writeUInt8(count, 26);
  return Buffer.concat([header, lengths, ...Array(count).fill(Buffer.from(packet))]);
};

test.each<[name: string, packet: number[], seconds: number]>([
  ["of SILK, 60 ms", [3 << 3, 0], 12],
  ["of SILK, 20 ms, two frames", [(1 << 3) | 1, 0], 8],
  ["of both, 20 ms", [13 << 3, 0], 4],
  ["of CELT, 2.5 ms", [16 << 3, 0], 0.5],
  ["of CELT, 20 ms", [31 << 3, 0], 4],
  ["of CELT, 20 ms, three frames", [(31 << 3) | 3, 3], 12],
  ["of more frames than a packet may have", [(31 << 3) | 3, 63], 24],
])("200 packets %s, that say they are a second: players play them all", (_, packet, seconds) => {
  const skipped = 480 / 48_000;
  const told = seconds < 2 ? 1 : seconds - skipped;
  expect(readOpus(join(head(), packets(200, packet, 48_480n)))?.durationSecs).toBe(told);
});

test("a packet of many pages is one", () => {
  const piece = (granule: bigint, continued: boolean) => {
    const file = Buffer.from(page({ granule, body: new Uint8Array(255 * 3).fill(3 << 3) }));
    file.writeUInt8(continued ? 1 : 0, 5);
    // Without the empty segment that would end it.
    return Buffer.concat([
      file.subarray(0, 26),
      Buffer.from([3]),
      file.subarray(27, 30),
      file.subarray(31),
    ]);
  };
  const pages = Array.from({ length: 100 }, (_, at) => piece(-1n, at > 0));
  expect(readOpus(join(head(), ...pages, data(48_480n)))?.durationSecs).toBe(1);
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
