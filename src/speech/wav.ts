const chunk = (name: string) => Buffer.from(name, "latin1").readUInt32BE();
const format = chunk("fmt ");
const sound = chunk("data");

/**
 * Seconds that a WAV file plays: what is behind the head of its sound, by the bytes that a second takes (Multimedia
 * Programming Interface and Data Specifications 1.0, IBM and Microsoft 1991). Its own word for the length of the sound
 * is not taken, as writers of streams have none, and others need not tell the truth; for uncompressed sound the rate
 * tells what a second takes too. null where it is none.
 */
export function readWavDuration(data: Uint8Array): number | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (!/^(RIFF|RF64)....WAVE$/s.test(file.toString("latin1", 0, 12))) return null;
  let perSecond = 0;
  for (let at = 12; at + 24 <= file.length;) {
    const name = file.readUInt32BE(at);
    const size = file.readUInt32LE(at + 4);
    if (name === sound) return perSecond > 0 ? (file.length - at - 8) / perSecond : null;
    if (name === format) {
      const [rate, bytes] = [file.readUInt32LE(at + 12), file.readUInt32LE(at + 16)];
      perSecond = Math.min(bytes, rate * file.readUInt16LE(at + 20));
    }
    at += 8 + size + (size % 2);
  }
  return null;
}
