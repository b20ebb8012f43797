interface Frame {
  bytes: number;
  seconds: number;
}

/** Frames in a row that make a file one of this kind: what looks like a single one is found in anything. */
const inARow = 3;
/** How far behind its tags the sound may begin. */
const longestLead = 4096;
/** Of random bytes one in 2,048 looks like a beginning; a file of more is made to keep us busy. */
const mostLost = 50_000;

/**
 * Seconds that a file of bare frames plays: MP3 and its predecessor MP2, AAC (ADTS), AMR. All frames are counted, for
 * no header tells of them, or need not tell the truth; what lies between is passed over, as players do. Endless where
 * that is too much. null where it is none.
 */
export function readFramesDuration(file: Uint8Array): number | null {
  const amr = readAmr(file);
  if (amr !== null) return amr;
  const start = startOf(file, tagsEnd(file));
  if (start === null) return null;
  let seconds = 0;
  for (let at = start, lost = 0; at < file.length;) {
    const frame = readFrame(file, at);
    if (frame) seconds += frame.seconds;
    else if (++lost > mostLost) return Infinity;
    at = nextSync(file, at + (frame?.bytes ?? 1));
  }
  return seconds;
}

function startOf(file: Uint8Array, from: number): number | null {
  const last = Math.min(file.length - 1, from + longestLead);
  for (let at = nextSync(file, from); at <= last; at = nextSync(file, at + 1)) {
    if (begins(file, at)) return at;
  }
  return null;
}

function begins(file: Uint8Array, start: number): boolean {
  let at = start;
  for (let count = 0; count < inARow; count++) {
    if (count > 0 && at >= file.length) return true;
    const frame = readFrame(file, at);
    if (!frame) return false;
    at += frame.bytes;
  }
  return true;
}

/** Where the next frame may begin: eleven bits that are set. */
function nextSync(file: Uint8Array, from: number): number {
  let at = from;
  while (at < file.length && !(file[at] === 0xff && byte(file, at + 1) >= 0xe0)) at++;
  return at;
}

/** Behind ID3v2 tags, which may hold pictures (id3.org, id3v2.4.0-structure, section 3.1). */
function tagsEnd(file: Uint8Array): number {
  let at = 0;
  while (file[at] === 0x49 && file[at + 1] === 0x44 && file[at + 2] === 0x33) {
    let size = 0;
    for (let digit = 6; digit < 10; digit++) size = size * 128 + (byte(file, at + digit) & 0x7f);
    const footer = (byte(file, at + 5) & 0x10) === 0 ? 0 : 10;
    at += 10 + size + footer;
  }
  return at;
}

function readFrame(file: Uint8Array, at: number): Frame | null {
  const layer = (byte(file, at + 1) >>> 1) & 3;
  return layer === 0 ? readAdts(file, at) : readMpeg(file, at, layer);
}

/** kbit/s of layers III and II of MPEG-1, and of both of MPEG-2 (ISO/IEC 11172-3 and 13818-3, section 2.4.2.3). */
const bitRates = {
  mp3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mp2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  lower: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const mpegRates = [44_100, 48_000, 32_000];

function readMpeg(file: Uint8Array, at: number, layer: number): Frame | null {
  const version = (byte(file, at + 1) >>> 3) & 3;
  if (layer === 3 || version === 1) return null;
  const first = version === 3;
  const rates = first ? (layer === 1 ? bitRates.mp3 : bitRates.mp2) : bitRates.lower;
  const third = byte(file, at + 2);
  const kilobits = rates[third >>> 4];
  const base = mpegRates[(third >>> 2) & 3];
  if (!kilobits || !base) return null;
  const rate = base / (first ? 1 : version === 2 ? 2 : 4);
  const samples = first || layer === 2 ? 1152 : 576;
  const bytes = Math.floor((samples * kilobits * 125) / rate) + ((third >>> 1) & 1);
  return { bytes, seconds: samples / rate };
}

/** Samples a second of AAC, by their index (ISO/IEC 14496-3, section 1.6.3.4). */
export const aacRates = [
  ...[96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000],
  ...[22_050, 16_000, 12_000, 11_025, 8_000, 7_350],
];

/** ISO/IEC 14496-3, section 1.A.2. */
function readAdts(file: Uint8Array, at: number): Frame | null {
  const rate = aacRates[(byte(file, at + 2) >>> 2) & 15];
  const bytes =
    ((byte(file, at + 3) & 3) << 11) | (byte(file, at + 4) << 3) | (byte(file, at + 5) >>> 5);
  // Its sync is one bit longer.
  if (!rate || bytes < 7 || byte(file, at + 1) < 0xf0) return null;
  const blocks = (byte(file, at + 6) & 3) + 1;
  return { bytes, seconds: (1024 * blocks) / rate };
}

/** Bytes of a frame of 20 ms behind its first one, by its type; others have none (RFC 4867, section 5). */
const amrSizes: [mark: string, sizes: number[]][] = [
  ["#!AMR\n", [12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5]],
  ["#!AMR-WB\n", [17, 23, 32, 36, 40, 46, 50, 58, 60, 5]],
];

function readAmr(file: Uint8Array): number | null {
  const start = String.fromCharCode(...file.subarray(0, 9));
  const [mark, sizes] = amrSizes.find(([each]) => start.startsWith(each)) ?? [];
  if (!mark || !sizes) return null;
  let frames = 0;
  for (let at = mark.length; at < file.length; frames++) {
    at += 1 + (sizes[(byte(file, at) >>> 3) & 15] ?? 0);
  }
  return frames / 50;
}

/** Behind the end there is nothing, which no frame begins with. */
function byte(file: Uint8Array, at: number): number {
  return file[at] ?? 0;
}
