import { ask, under, type Connection } from "../service.ts";
import { maxSoundBytes, type SynthesisService } from "./service.ts";

export interface ElevenLabsOptions {
  connection: Connection;
  baseUrl: string;
  key: string;
  missing: string | null;
  /** A voice id of the account. */
  voice: string;
  model: string;
  stability: number;
  similarityBoost: number;
}

/** ElevenLabs, asked for Opus. https://elevenlabs.io/docs/api-reference/text-to-speech/convert */
export function createElevenLabs(options: ElevenLabsOptions): SynthesisService {
  // The default of default_voice is a voice of OpenAI's.
  const voiceMissing =
    options.voice === "" || options.voice === "alloy"
      ? "no voice: set [tts] default_voice to an ElevenLabs voice id"
      : null;
  const url = new URL(
    under(options.baseUrl, `/text-to-speech/${encodeURIComponent(options.voice)}`),
  );
  url.searchParams.set("output_format", "opus_48000_32");

  return {
    missing: options.missing ?? voiceMissing,
    needsConversion: false,
    fits: (text) => text.length <= 10_000,
    speak: (text, signal) =>
      ask(
        options.connection,
        url,
        {
          method: "POST",
          headers: { "xi-api-key": options.key, "content-type": "application/json" },
          body: JSON.stringify({
            text,
            model_id: options.model,
            voice_settings: {
              stability: options.stability,
              similarity_boost: options.similarityBoost,
            },
          }),
        },
        maxSoundBytes,
        signal,
      ),
  };
}
