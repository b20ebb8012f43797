import { SpeechError } from "../error.ts";
import { ask, type Connection } from "../service.ts";
import { maxSoundBytes, type SynthesisService } from "./service.ts";

export interface OpenAiStyleSpeechOptions {
  connection: Connection;
  /** The whole address that takes the POST. */
  url: string;
  bearer: string;
  missing: string | null;
  model: string;
  voice: string;
  /** Left out where undefined. */
  speed: number | undefined;
  maxCharacters: number;
}

/**
 * Services that speak as OpenAI's does (OpenAI, Piper servers of one's own). Asked for Opus, which OpenAI gives in
 * Ogg; a server that refuses the format is asked for WAV, which all of them have.
 * https://platform.openai.com/docs/api-reference/audio/createSpeech
 */
export function createOpenAiStyleSpeech(options: OpenAiStyleSpeechOptions): SynthesisService {
  const { connection, url, bearer, model, voice, speed } = options;

  const speakAs = (format: "opus" | "wav", input: string, signal: AbortSignal) =>
    ask(
      connection,
      url,
      {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(bearer === "" ? {} : { authorization: `Bearer ${bearer}` }),
        },
        body: JSON.stringify({ model, input, voice, speed, response_format: format }),
      },
      maxSoundBytes,
      signal,
    );

  return {
    missing: options.missing,
    needsConversion: false,
    fits: (text) => text.length <= options.maxCharacters,
    async speak(text, signal) {
      try {
        return await speakAs("opus", text, signal);
      } catch (error) {
        const refused = error instanceof SpeechError && [400, 415, 422].includes(error.status ?? 0);
        if (!refused) throw error;
        return speakAs("wav", text, signal);
      }
    },
  };
}
