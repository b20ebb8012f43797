/**
 * Seconds that a FLAC file plays, as its first block says (RFC 9639, section 8.2). null where it is none, or does not
 * say, as one that was written as a stream.
 */
export function readFlacDuration(data: Uint8Array): number | null {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (file.length < 26 || file.toString("latin1", 0, 4) !== "fLaC") return null;
  const rate = file.readUIntBE(18, 3) >>> 4;
  const samples = file.readUIntBE(21, 5) % 2 ** 36;
  return rate > 0 && samples > 0 ? samples / rate : null;
}
