import * as v from "valibot";
import { jsonObject } from "../../net/json-object.ts";
import { SpeechError } from "../error.ts";
import { askJson, under, type Connection } from "../service.ts";
import type { Audio, TranscriptionService } from "./audio.ts";

export interface GoogleSpeechOptions {
  connection: Connection;
  baseUrl: string;
  key: string;
  missing: string | null;
  languageCode: string;
}

const answerSchema = jsonObject({
  results: v.optional(
    v.array(
      jsonObject({
        alternatives: v.optional(v.array(jsonObject({ transcript: v.optional(v.string()) }))),
      }),
    ),
  ),
});

/**
 * Google Speech-to-Text v1, synchronous: at most a minute, at most 10 MB of request with the sound in base 64.
 * https://docs.cloud.google.com/speech-to-text/docs/v1/speech-to-text-requests
 */
export function createGoogleSpeech(options: GoogleSpeechOptions): TranscriptionService {
  return {
    missing: options.missing,
    maxBytes: 7_000_000,
    maxSeconds: 60,
    async transcribe(audio, signal) {
      const { results } = await askJson(
        options.connection,
        under(options.baseUrl, "/speech:recognize"),
        {
          method: "POST",
          // In a header, not in the address: addresses end up in logs.
          headers: { "x-goog-api-key": options.key, "content-type": "application/json" },
          body: JSON.stringify({
            config: {
              ...encoding(audio),
              languageCode: options.languageCode,
              enableAutomaticPunctuation: true,
            },
            audio: { content: Buffer.from(audio.data).toString("base64") },
          }),
        },
        { schema: answerSchema, maxBytes: 4 * 1024 * 1024 },
        signal,
      );
      return (results ?? [])
        .map(({ alternatives }) => alternatives?.[0]?.transcript?.trim())
        .filter(Boolean)
        .join(" ");
    },
  };
}

/** Rates that OGG_OPUS may have; the file's own where it is one of them. */
const opusRates = [8_000, 12_000, 16_000, 24_000, 48_000];

function encoding({ opus, mimeType }: Audio): object {
  if (opus) {
    const rate = opusRates.includes(opus.inputSampleRate) ? opus.inputSampleRate : 48_000;
    return { encoding: "OGG_OPUS", sampleRateHertz: rate, audioChannelCount: opus.channels };
  }
  switch (mimeType) {
    case "audio/amr":
      return { encoding: "AMR", sampleRateHertz: 8_000 };
    case "audio/wav":
    case "audio/x-wav":
    case "audio/flac":
    case "audio/x-flac":
      // Google reads the header of these itself.
      return {};
    default:
      throw new SpeechError(`google does not read ${mimeType}`, false);
  }
}
