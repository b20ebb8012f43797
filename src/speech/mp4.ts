const box = (name: string) => Buffer.from(name, "latin1").readUInt32BE();
const movie = box("moov");
const movieHeader = box("mvhd");

/**
 * Seconds that an MP4 file (M4A, 3GP) plays, as its movie header says (ISO/IEC 14496-12, sections 4.2 and 8.2.2). null
 * where it is none, or does not say, as one in fragments.
 */
export function readMp4Duration(data: Uint8Array): number | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const header = find(movieHeader, find(movie, file));
  if (!header || header.length < 32) return null;
  const long = header.readUInt8() === 1;
  const perSecond = header.readUInt32BE(long ? 20 : 12);
  const units = long ? header.readBigUInt64BE(24) : BigInt(header.readUInt32BE(16));
  // All ones stand for what could not be told.
  const unknown = long ? 2n ** 64n - 1n : 2n ** 32n - 1n;
  return perSecond === 0 || units === 0n || units === unknown ? null : Number(units) / perSecond;
}

/** What is in the first box of this type, as far as it is there. */
function find(type: number, boxes: Buffer | null): Buffer | null {
  for (let at = 0; boxes && at + 16 <= boxes.length;) {
    const short = boxes.readUInt32BE(at);
    const head = short === 1 ? 16 : 8;
    const told = short === 1 ? Number(boxes.readBigUInt64BE(at + 8)) : short;
    // 0: to the end.
    const size = told === 0 ? boxes.length - at : told;
    if (size < head) return null;
    if (boxes.readUInt32BE(at + 4) === type) return boxes.subarray(at + head, at + size);
    at += size;
  }
  return null;
}
