/** Files of sound as the readers of durations see them: heads and lengths right, the sound itself nothing. */

export const join = (...parts: (Uint8Array | number[])[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const filled = (head: number[], bytes: number) => join(head, new Uint8Array(bytes - head.length));

export const frames = (count: number, frame: Uint8Array) =>
  join(...Array.from({ length: count }, () => frame));

/** MPEG-1 layer III at 44,100 Hz, 128 kbit/s: 1152 samples. */
export const mp3Frame = filled([0xff, 0xfb, 0x90, 0], 417);
/** The same at 32 kbit/s, padded. */
export const mp3Small = filled([0xff, 0xfb, 0x12, 0], 105);
/** A frame in whose sound the head of another stands. */
export const mp3Within = filled([0xff, 0xfb, 0x90, 0, 0, 0, 0xff, 0xfb, 0x90, 0], 417);
/** MPEG-2 layer III at 22,050 Hz, 64 kbit/s: 576 samples. */
export const mp3Half = filled([0xff, 0xf3, 0x80, 0], 208);
/** MPEG-2.5 layer III at 8,000 Hz, 8 kbit/s: 576 samples. */
export const mp3Quarter = filled([0xff, 0xe3, 0x18, 0], 72);
/** MPEG-1 layer II at 48,000 Hz, 128 kbit/s: 1152 samples. */
export const mp2Frame = filled([0xff, 0xfd, 0x84, 0], 384);
/** MPEG-2 layer II at 22,050 Hz, 64 kbit/s: 1152 samples. */
export const mp2Half = filled([0xff, 0xf5, 0x80, 0], 417);
/** AAC in ADTS at 16,000 Hz, of 100 bytes: 1024 samples. */
export const aacFrame = filled([0xff, 0xf1, 0x60, 0x40, 100 >> 3, (100 & 7) << 5, 0], 100);
/** The same, of two blocks. */
export const aacDouble = filled([0xff, 0xf9, 0x60, 0x40, 100 >> 3, (100 & 7) << 5, 1], 100);
/** With a checksum, so that its head is two bytes longer. */
export const aacChecked = filled([0xff, 0xf0, 0x60, 0x40, 100 >> 3, (100 & 7) << 5, 0], 100);
/** Of 3,000 bytes, which takes bits of three of its bytes to say. */
export const aacLong = filled(
  [0xff, 0xf1, 0x60, 0x40 | (3_000 >> 11), (3_000 >> 3) & 0xff, (3_000 & 7) << 5, 0],
  3_000,
);

/** An ID3v2 tag with so many bytes in it. */
export const id3 = (bytes: number, flags = 0) =>
  join(
    Buffer.from("ID3\u0004\0"),
    [flags],
    [0, 0, bytes >> 7, bytes & 0x7f],
    new Uint8Array(bytes + (flags ? 10 : 0)),
  );

/** A box of MP4: 32 or 64 bits of size, or 0 for one that goes to the end. */
export function box(
  name: string,
  body: Uint8Array,
  size: "short" | "long" | "open" = "short",
): Uint8Array {
  const head = Buffer.alloc(size === "long" ? 16 : 8);
  head.write(name, 4, "latin1");
  if (size === "short") head.writeUInt32BE(8 + body.length);
  if (size === "long") {
    head.writeUInt32BE(1);
    head.writeBigUInt64BE(BigInt(16 + body.length), 8);
  }
  return join(head, body);
}

/** A movie header, short or long, of so many units. */
export function movieHeader(version: 0 | 1, perSecond: number, units: bigint): Uint8Array {
  const body = Buffer.alloc(version === 0 ? 100 : 112);
  body.writeUInt8(version);
  body.writeUInt32BE(perSecond, version === 0 ? 12 : 20);
  if (version === 0) body.writeUInt32BE(Number(units), 16);
  else body.writeBigUInt64BE(units, 24);
  return box("mvhd", body);
}

const bigEndian = (...numbers: number[]) => {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * i);
  return bytes;
};

/** The description of a sound: its type and the box of its settings. */
const described = (name: string, settings: Uint8Array) =>
  box(name, join(new Uint8Array(28), settings));

/** AAC of this kind and index of its rate, with lengths in one byte or, as some write them, in four. */
export function aacSound(kind: number, rate: number, long = false): Uint8Array {
  const head = (tag: number, bytes: number) =>
    long ? [tag, 0x80, 0x80, 0x80, bytes] : [tag, bytes];
  const own = [(kind << 3) | (rate >>> 1), ((rate & 1) << 7) | (1 << 3)];
  const decoder = [0x40, 0x15, ...new Uint8Array(11)];
  const body = [
    0,
    0,
    0,
    0,
    ...head(3, 25),
    0,
    0,
    0,
    ...head(4, 17),
    ...decoder,
    ...head(5, 2),
    ...own,
  ];
  return described("mp4a", box("esds", Uint8Array.from(body)));
}

/** AMR, so many frames of which stand together. */
export function amrSound(name: "samr" | "sawb", together: number): Uint8Array {
  return described(name, box("damr", Uint8Array.of(0, 0, 0, 0, 0, 0x81, 0xff, 0, together)));
}

/** A track of one sound, with a table of so many sizes. */
export function track(
  sound: Uint8Array,
  count: number,
  table: "stsz" | "stz2" = "stsz",
): Uint8Array {
  const tables = join(
    box("stsd", join(bigEndian(0, 1), sound)),
    box(table, bigEndian(0, 0, count)),
  );
  return box("trak", box("mdia", box("minf", box("stbl", tables))));
}

/** A fragment whose runs have so many frames. */
export function fragment(...runs: number[]): Uint8Array {
  const boxes = runs.map((count) => box("trun", bigEndian(0, count, 0)));
  return box("moof", box("traf", join(...boxes)));
}

/** A chunk of RIFF, padded to an even length; `told` is the size that it names. */
export function chunk(name: string, body: Uint8Array, told: number = body.length): Uint8Array {
  const head = Buffer.alloc(8);
  head.write(name, 0, "latin1");
  head.writeUInt32LE(told, 4);
  return join(head, body, new Uint8Array(body.length % 2));
}

export function wavFormat(rate: number, blockAlign: number, bytesPerSecond = rate * blockAlign) {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(1, 0);
  body.writeUInt16LE(1, 2);
  body.writeUInt32LE(rate, 4);
  body.writeUInt32LE(bytesPerSecond, 8);
  body.writeUInt16LE(blockAlign, 12);
  return chunk("fmt ", body);
}

export function wav(...chunks: Uint8Array[]): Uint8Array {
  return chunk("RIFF", join(Buffer.from("WAVE"), ...chunks));
}

/** The head of a FLAC frame: codes of its samples and rate, its number, and what the codes leave to be said. */
export function flacFrame(
  size: number,
  rate: number,
  number: number[],
  more: number[] = [],
): Uint8Array {
  const head = [0xff, 0xf8, (size << 4) | rate, 0x08, ...number, ...more];
  return join(head, [flacSum(head)], new Uint8Array(20));
}

/** The remainder of the division by x^8 + x^2 + x + 1. */
function flacSum(bytes: number[]): number {
  const bits = [...bytes, 0].map((each) => each.toString(2).padStart(8, "0")).join("");
  let rest = BigInt(`0b${bits}`);
  for (let at = bits.length - 9; at >= 0; at--) {
    if ((rest >> BigInt(at + 8)) & 1n) rest ^= 0x107n << BigInt(at);
  }
  return Number(rest);
}

/** A FLAC file of one block, mono with 16 bits, and no sound. */
export function flac(rate: number, samples: number): Uint8Array {
  const body = Buffer.alloc(34);
  const bits = (BigInt(rate) << 44n) | (15n << 36n) | BigInt(samples);
  body.writeBigUInt64BE(bits, 10);
  return join(Buffer.from("fLaC"), [0x80, 0, 0, 34], body);
}
