import * as v from "valibot";
import { askJson, under, type Connection } from "../service.ts";
import { maxSoundBytes, type SynthesisService } from "./service.ts";

export interface GoogleTextToSpeechOptions {
  connection: Connection;
  baseUrl: string;
  key: string;
  missing: string | null;
  voice: string;
  languageCode: string;
}

// Not valibot's base64, whose expression gives up on the length that sound may have.
const base64 = v.pipe(
  v.string(),
  v.check((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text), "not base 64"),
);
const answerSchema = v.object({ audioContent: base64 });

/** Google Text-to-Speech v1. https://docs.cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize */
export function createGoogleTextToSpeech(options: GoogleTextToSpeechOptions): SynthesisService {
  // Google's names begin with their language (de-DE-Neural2-B); any other is some other service's.
  const language = /^([a-z]{2,3}-[A-Z]{2})-./.exec(options.voice)?.[1];
  const voice = language
    ? { languageCode: language, name: options.voice }
    : { languageCode: options.languageCode };

  return {
    missing: options.missing,
    needsConversion: false,
    fits: (text) => Buffer.byteLength(text) <= 5_000,
    async speak(text, signal) {
      const { audioContent } = await askJson(
        options.connection,
        under(options.baseUrl, "/text:synthesize"),
        {
          method: "POST",
          headers: { "x-goog-api-key": options.key, "content-type": "application/json" },
          body: JSON.stringify({
            input: { text },
            voice,
            audioConfig: { audioEncoding: "OGG_OPUS" },
          }),
        },
        { schema: answerSchema, maxBytes: Math.ceil(maxSoundBytes * 1.4) },
        signal,
      );
      return Buffer.from(audioContent, "base64");
    },
  };
}
