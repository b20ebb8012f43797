import { samplesOfPacket } from "./opus-packet.ts";

/** What an Ogg/Opus file says of itself. */
export interface OpusInfo {
  channels: number;
  /** Of the sound before encoding, in Hz; 0 where the encoder did not say. */
  inputSampleRate: number;
  /** Seconds, to the sample. */
  durationSecs: number;
}

/** Opus in Ogg counts 48,000 samples a second, whatever it was made from (RFC 7845, section 4). */
const samplesPerSecond = 48_000;

/** A recording is one stream, a chain a few. A file of thousands is made to keep us busy. */
const maxStreams = 64;

interface Stream {
  channels: number;
  inputSampleRate: number;
  preSkip: number;
  lastGranule: number;
  /** Samples of all packets. */
  packets: number;
}

/**
 * Reads the pages of an Ogg file (RFC 3533) that holds Opus (RFC 7845): head of its first Opus stream, and the
 * duration of all of them, for a file may be a chain. Bytes between pages are passed over, as players do, so that no
 * gap makes a file look shorter than it plays; nor does its own word, where its packets play longer. Endless where it
 * is a chain of too many. null where there is no Opus in it.
 */
export function readOpus(data: Uint8Array): OpusInfo | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const open = new Map<number, Stream>();
  let head: Stream | undefined;
  let samples = 0;
  let streams = 0;
  for (let at = file.indexOf("OggS"); at !== -1 && at + 27 <= file.length;) {
    const segments = file.subarray(at + 27, at + 27 + file.readUInt8(at + 26));
    const body = at + 27 + segments.length;
    const serial = file.readUInt32LE(at + 14);
    const flags = file.readUInt8(at + 5);
    if ((flags & 0x02) !== 0) {
      if (++streams > maxStreams) {
        samples = Infinity;
        break;
      }
      samples += length(open.get(serial));
      open.delete(serial);
      const stream = readHead(file.subarray(body, body + 19));
      if (stream) open.set(serial, stream);
      head ??= stream;
    } else {
      const stream = open.get(serial);
      const granule = file.readBigInt64LE(at + 6);
      // -1: no packet ends on this page.
      if (stream && granule !== -1n) {
        stream.lastGranule = Math.max(stream.lastGranule, Number(granule));
      }
      if (stream) stream.packets += packetsIn(file, segments, body, (flags & 0x01) !== 0);
    }
    at = file.indexOf("OggS", body + segments.reduce((sum, bytes) => sum + bytes, 0));
  }
  if (!head) return null;
  for (const stream of open.values()) samples += length(stream);
  return {
    channels: head.channels,
    inputSampleRate: head.inputSampleRate,
    durationSecs: samples / samplesPerSecond,
  };
}

/** Samples of the packets that begin on a page. */
function packetsIn(file: Buffer, segments: Buffer, body: number, continued: boolean): number {
  let samples = 0;
  let begins = !continued;
  let at = body;
  for (const bytes of segments) {
    if (begins && bytes > 0) samples += samplesOfPacket(file[at] ?? 0, file[at + 1] ?? 0);
    begins = bytes < 255;
    at += bytes;
  }
  return samples;
}

/** As it says, which may cut the last page short. */
function length(stream: Stream | undefined): number {
  if (!stream) return 0;
  const { lastGranule, packets, preSkip } = stream;
  const samples = packets - lastGranule > samplesPerSecond ? packets : lastGranule;
  return Math.max(0, samples - preSkip);
}

function readHead(packet: Buffer): Stream | undefined {
  if (packet.length < 19 || packet.toString("latin1", 0, 8) !== "OpusHead") return undefined;
  return {
    channels: packet.readUInt8(9),
    preSkip: packet.readUInt16LE(10),
    inputSampleRate: packet.readUInt32LE(12),
    lastGranule: 0,
    packets: 0,
  };
}
