/** Of a frame's head, by its code; 0 where it is the first block's (RFC 9639, section 9.1.2). */
const rates = [
  0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
];

/** Of random bytes two in 65,536 look like a beginning; a file of more is made to keep us busy. */
const mostLost = 50_000;

/**
 * Seconds that a FLAC file plays, as its first block says (RFC 9639, section 8.2); where its frames play longer, as long
 * as these do, for that block need not tell the truth, and that of a file that was written as a stream tells nothing.
 * null where it is none, or does not say.
 */
export function readFlacDuration(data: Uint8Array): number | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (file.length < 26 || file.toString("latin1", 0, 4) !== "fLaC") return null;
  const rate = file.readUIntBE(18, 3) >>> 4;
  const samples = file.readUIntBE(21, 5) % 2 ** 36;
  const told = rate > 0 ? samples / rate : 0;
  const counted = counts(file, rate);
  return (counted - told > 1 ? counted : told) || null;
}

/** Seconds of all frames. */
function counts(file: Buffer, rate: number): number {
  let seconds = 0;
  for (let at = 26, lost = 0; at < file.length; at++) {
    // Fourteen bits that are the same in all (section 9.1).
    if (file[at] !== 0xff || byte(file, at + 1) >>> 1 !== 0x7c) continue;
    const more = readFrame(file.subarray(at, at + 16), rate);
    if (more === 0 && ++lost > mostLost) return Infinity;
    seconds += more;
  }
  return seconds;
}

/** Seconds of the frame whose head this is, 0 where it is none; its sound may hold what looks like one but for the sum. */
function readFrame(head: Buffer, usual: number): number {
  const [size, speed] = [byte(head, 2) >>> 4, byte(head, 2) & 15];
  // A number as in UTF-8, of up to seven bytes.
  const digits = Math.max(1, Math.clz32(~(byte(head, 4) << 24)));
  let at = 4 + digits;
  const more = size === 6 || size === 7 ? size - 5 : 0;
  const samples = more
    ? head.subarray(at, at + more).reduce((sum, each) => sum * 256 + each, 0) + 1
    : size < 2
      ? size * 192
      : size < 6
        ? 144 << size
        : 1 << size;
  at += more;
  let rate = rates[speed] || usual;
  if (speed === 12) rate = 1_000 * byte(head, at);
  if (speed > 12) rate = (speed === 13 ? 1 : 10) * (256 * byte(head, at) + byte(head, at + 1));
  at += speed < 12 ? 0 : speed === 12 ? 1 : 2;
  const sound = speed < 15 && rate > 0 && (byte(head, 3) & 1) === 0;
  return sound && sumOf(head.subarray(0, at)) === head[at] ? samples / rate : 0;
}

/** The CRC of eight bits with the polynomial x^8 + x^2 + x + 1. */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = ((sum << 1) ^ (sum & 0x80 ? 7 : 0)) & 0xff;
  }
  return sum;
}

function byte(bytes: Buffer, at: number): number {
  return bytes[at] ?? 0;
}
