import { aacRates } from "./frames.ts";

/** Two seconds a fragment are usual, a few tracks a film. A file of more is made to keep us busy. */
const mostParts = 10_000;

/**
 * Seconds that an MP4 file (M4A, 3GP) plays, as its movie header says (ISO/IEC 14496-12, sections 4.2 and 8.2.2); where
 * its frames of AAC or AMR play longer, as long as these do, for the header need not tell the truth, and that of a file
 * in fragments tells nothing. Endless where it is in too many parts. null where it is none, or does not say.
 */
export function readMp4Duration(data: Uint8Array): number | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const movie = find(file, "moov");
  const told = toldBy(find(movie, "mvhd"));
  const counted = countedIn(file, movie);
  return counted - (told ?? 0) > (told === null ? 0 : 1) ? counted : told;
}

function toldBy(header: Buffer | null): number | null {
  if (!header || header.length < 32) return null;
  const long = header.readUInt8() === 1;
  const perSecond = header.readUInt32BE(long ? 20 : 12);
  const units = long ? header.readBigUInt64BE(24) : BigInt(header.readUInt32BE(16));
  // All ones stand for what could not be told.
  const unknown = long ? 2n ** 64n - 1n : 2n ** 32n - 1n;
  return perSecond === 0 || units === 0n || units === unknown ? null : Number(units) / perSecond;
}

/** Seconds of all frames of the longest track; 0 where they are of no kind that is known here. */
function countedIn(file: Buffer, movie: Buffer | null): number {
  let seconds = 0;
  let frame = 0;
  let parts = 0;
  for (const track of all(movie, "trak")) {
    if (++parts > mostParts) return Infinity;
    const table = find(track, "mdia minf stbl");
    frame = secondsOfFrame(find(table, "stsd")?.subarray(8) ?? null);
    seconds = Math.max(seconds, frame * numberAt(8, find(table, "stsz") ?? find(table, "stz2")));
  }
  // Of several tracks it is not known whose a fragment is.
  if (parts > 1 || frame === 0) return seconds;
  for (const fragment of all(file, "moof")) {
    if (++parts > mostParts) return Infinity;
    for (const run of all(fragment, "traf trun")) seconds += frame * numberAt(4, run);
  }
  return seconds;
}

/** By the description of a track's sound. */
function secondsOfFrame(sounds: Buffer | null): number {
  const amr = find(sounds, "samr") ?? find(sounds, "sawb");
  // 20 ms each, of which several may stand together (3GPP TS 26.244, section 6.7).
  if (amr) return 0.02 * Math.max(1, find(amr.subarray(28), "damr")?.[8] ?? 1);
  const settings = find(find(sounds, "mp4a")?.subarray(28) ?? null, "esds");
  // A decoder of AAC and what it is told (ISO/IEC 14496-1, section 7.2.6.6).
  const told = /\x40[^]{12}\x05[\x80-\xff]{0,3}[^]([^]{2})/.exec(
    settings?.toString("latin1", 0, 99) ?? "",
  );
  const bits = told?.[1] === undefined ? 0 : Buffer.from(told[1], "latin1").readUInt16BE();
  const kind = bits >>> 11;
  // Of Main, LC, SSR, LTP and HE; others have shorter frames (ISO/IEC 14496-3, section 1.6.2.1).
  const rate = (kind > 0 && kind < 6) || kind === 29 ? aacRates[(bits >>> 7) & 15] : undefined;
  return rate === undefined ? 0 : 1024 / rate;
}

function numberAt(at: number, body: Buffer | null): number {
  return body && body.length >= at + 4 ? body.readUInt32BE(at) : 0;
}

/** What is in the first box at the end of this way of types, as far as it is there. */
function find(boxes: Buffer | null, way: string): Buffer | null {
  for (const body of all(boxes, way)) return body;
  return null;
}

/** What is in each of them, in their order. */
function* all(boxes: Buffer | null, way: string): Generator<Buffer> {
  const type = Buffer.from(way, "latin1").readUInt32BE();
  for (let at = 0; boxes && at + 16 <= boxes.length;) {
    const short = boxes.readUInt32BE(at);
    const head = short === 1 ? 16 : 8;
    const told = short === 1 ? Number(boxes.readBigUInt64BE(at + 8)) : short;
    // 0: to the end.
    const size = told === 0 ? boxes.length - at : told;
    if (size < head) return;
    if (boxes.readUInt32BE(at + 4) === type) {
      const body = boxes.subarray(at + head, at + size);
      if (way.length > 4) yield* all(body, way.slice(5));
      else yield body;
    }
    at += size;
  }
}
