import { readFile, stat } from "node:fs/promises";
import { extensionOf } from "../../net/extension.ts";
import { SpeechError } from "../error.ts";
import { readFlacDuration } from "../flac.ts";
import { readFramesDuration } from "../frames.ts";
import { readMp4Duration } from "../mp4.ts";
import { readOpus, type OpusInfo } from "../ogg.ts";
import { readWavDuration } from "../wav.ts";

/** A sound file, read. */
export interface Audio {
  data: Uint8Array<ArrayBuffer>;
  /** Without parameters, such as `audio/ogg`. */
  mimeType: string;
  /** A name of our own with the right ending: the services tell formats by it, and the sender's name stays here. */
  filename: string;
  /** null where it is no Ogg/Opus. */
  opus: OpusInfo | null;
  /** Read off the file; null where it is of a kind that is not known here. */
  durationSecs: number | null;
}

/** One way to have sound turned into text. */
export interface TranscriptionService {
  /** What is missing before it can be asked, in words for the operator. */
  missing: string | null;
  maxBytes: number;
  /** null: no limit of its own. */
  maxSeconds: number | null;
  /** The words, `""` where there are none. Throws {@link SpeechError}, or the signal's reason when aborted. */
  transcribe(audio: Audio, signal: AbortSignal): Promise<string>;
}

/** The OpenAI-style services' limit, which is the smallest; voice notes of hours stay below it. */
export const maxAudioBytes = 25 * 1024 * 1024;

/** Reads a file of at most `maxBytes`. What is Ogg/Opus by content is called so, whatever the platform called it. */
export async function readAudio(
  path: string,
  platformType: string | null,
  maxBytes: number,
): Promise<Audio> {
  let data: Uint8Array<ArrayBuffer>;
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      throw new SpeechError(`the audio is longer than ${maxBytes} bytes`, false);
    }
    data = await readFile(path);
  } catch (error) {
    if (error instanceof SpeechError) throw error;
    throw new SpeechError("the audio file cannot be read", false);
  }
  const opus = readOpus(data);
  const told = platformType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const mimeType = opus
    ? "audio/ogg"
    : told.startsWith("audio/") && extensionOf(told) !== null
      ? told
      : "application/octet-stream";
  const durationSecs =
    opus?.durationSecs ??
    readMp4Duration(data) ??
    readWavDuration(data) ??
    readFlacDuration(data) ??
    readFramesDuration(data);
  return {
    data,
    mimeType,
    filename: `audio.${extensionOf(mimeType) ?? "bin"}`,
    opus,
    durationSecs,
  };
}
