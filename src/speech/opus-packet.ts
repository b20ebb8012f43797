/** No packet holds more, in samples at 48,000 a second: 120 ms (RFC 6716, section 3.2.5). */
const most = 5_760;

/** Samples that a packet plays, by its first two bytes (RFC 6716, section 3.1). */
export function samplesOfPacket(first: number, second: number): number {
  const config = first >>> 3;
  const step = config & 3;
  let frame = 480 << step;
  if (config >= 16) frame = 120 << step;
  else if (config >= 12) frame = 480 << (step & 1);
  else if (step === 3) frame = 2_880;
  const code = first & 3;
  const frames = code === 0 ? 1 : code === 3 ? second & 63 : 2;
  return Math.min(frame * frames, most);
}
