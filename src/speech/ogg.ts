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
}

/**
 * Reads the pages of an Ogg file (RFC 3533) that holds Opus (RFC 7845): head of its first Opus stream, and the
 * duration of all of them, for a file may be a chain. Bytes between pages are passed over, as players do, so that no
 * gap makes a file look shorter than it plays. Endless where it is a chain of too many. null where there is no Opus in
 * it.
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
    const first = (file.readUInt8(at + 5) & 0x02) !== 0;
    if (first) {
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

function length(stream: Stream | undefined): number {
  return stream ? Math.max(0, stream.lastGranule - stream.preSkip) : 0;
}

function readHead(packet: Buffer): Stream | undefined {
  if (packet.length < 19 || packet.toString("latin1", 0, 8) !== "OpusHead") return undefined;
  return {
    channels: packet.readUInt8(9),
    preSkip: packet.readUInt16LE(10),
    inputSampleRate: packet.readUInt32LE(12),
    lastGranule: 0,
  };
}
