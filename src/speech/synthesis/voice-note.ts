import type { Clock } from "../../runtime/clock.ts";
import { SpeechError } from "../error.ts";
import { readOpus } from "../ogg.ts";
import { maxSoundBytes } from "./service.ts";
import { runTool } from "./tool.ts";

/** WhatsApp shows a voice note with a play button up to this size, a larger one as a download. */
const playableBytes = 512 * 1024;
/** What WhatsApp's own voice notes are made with, nearly; in bits a second. */
const usualBitrate = 32_000;
/** Speech is hard to follow below. */
const leastBitrate = 10_000;

export interface Converter {
  /** Path of ffmpeg; null where there is none. */
  ffmpeg: string | null;
  env: Record<string, string | undefined>;
  clock: Clock;
}

/**
 * Makes a voice note, Ogg/Opus mono, of a sound: as it is where it is one already, through ffmpeg where it is not,
 * with a smaller bit rate where it would be too large to play. null where that takes an ffmpeg that is not there.
 * Throws {@link SpeechError} where the sound is none.
 */
export async function makeVoiceNote(
  sound: Uint8Array,
  converter: Converter,
  signal: AbortSignal,
): Promise<{ data: Uint8Array; durationSecs: number } | null> {
  const opus = readOpus(sound);
  const ready = opus?.channels === 1 ? { data: sound, durationSecs: opus.durationSecs } : null;
  if (ready && (sound.length <= playableBytes || !converter.ffmpeg)) return checked(ready);
  if (!converter.ffmpeg) return null;

  const bitrate = ready ? playableBitrate(ready.durationSecs) : usualBitrate;
  const note = await convert(sound, bitrate, converter, signal);
  if (note.data.length <= playableBytes || bitrate < usualBitrate) return note;
  return convert(sound, playableBitrate(note.durationSecs), converter, signal);
}

/** The bit rate with which so many seconds stay playable, with a tenth for the container. */
function playableBitrate(seconds: number): number {
  const fitting = Math.floor((playableBytes * 8 * 0.9) / Math.max(1, seconds));
  return Math.min(usualBitrate, Math.max(leastBitrate, fitting));
}

async function convert(
  sound: Uint8Array,
  bitrate: number,
  { ffmpeg, env, clock }: Converter,
  signal: AbortSignal,
) {
  const format = container(sound);
  if (!format || !ffmpeg) throw new SpeechError("the service gave no sound that is known", false);
  const data = await runTool(
    {
      name: "ffmpeg",
      // The format is named and only pipes are open to it, so that no sound can make it read files or addresses.
      command: [
        ffmpeg,
        ...["-hide_banner", "-loglevel", "error", "-nostats", "-protocol_whitelist", "pipe"],
        ...["-f", format, "-i", "pipe:0", "-map", "0:a:0", "-map_metadata", "-1", "-t", "1800"],
        ...["-ac", "1", "-ar", "48000", "-c:a", "libopus", "-b:a", `${bitrate}`],
        ...["-application", "voip", "-f", "ogg", "pipe:1"],
      ],
      input: sound,
      env,
      clock,
      timeoutMs: 60_000,
      maxOutputBytes: maxSoundBytes,
    },
    signal,
  );
  const opus = readOpus(data);
  if (opus?.channels !== 1) throw new SpeechError("ffmpeg gave no Ogg/Opus mono", false);
  return checked({ data, durationSecs: opus.durationSecs });
}

function checked<N extends { durationSecs: number }>(note: N): N {
  if (note.durationSecs <= 0) throw new SpeechError("the sound is empty", true);
  return note;
}

/** The container of a sound by its first bytes, as ffmpeg names it. */
export function container(sound: Uint8Array): "ogg" | "wav" | "flac" | "mp3" | null {
  const ascii = (from: number, to: number) => String.fromCharCode(...sound.subarray(from, to));
  if (ascii(0, 4) === "OggS") return "ogg";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WAVE") return "wav";
  if (ascii(0, 4) === "fLaC") return "flac";
  if (ascii(0, 3) === "ID3" || (sound[0] === 0xff && ((sound[1] ?? 0) & 0xe0) === 0xe0))
    return "mp3";
  return null;
}
