import * as v from "valibot";
import { askJson, under, type Connection } from "../service.ts";
import { maxAudioBytes, type TranscriptionService } from "./audio.ts";

export interface DeepgramOptions {
  connection: Connection;
  baseUrl: string;
  key: string;
  missing: string | null;
  model: string;
  /** undefined: Deepgram finds out. */
  language: string | undefined;
}

const answerSchema = v.object({
  results: v.object({
    channels: v.array(v.object({ alternatives: v.array(v.object({ transcript: v.string() })) })),
  }),
});

/** Deepgram's pre-recorded audio: the sound as the body. https://developers.deepgram.com/reference/listen-file */
export function createDeepgram(options: DeepgramOptions): TranscriptionService {
  return {
    missing: options.missing,
    maxBytes: maxAudioBytes,
    maxSeconds: null,
    async transcribe({ data, mimeType }, signal) {
      const url = new URL(under(options.baseUrl, "/listen"));
      url.searchParams.set("model", options.model);
      url.searchParams.set("smart_format", "true");
      if (options.language) url.searchParams.set("language", options.language);
      else url.searchParams.set("detect_language", "true");
      const { results } = await askJson(
        options.connection,
        url,
        {
          method: "POST",
          headers: { authorization: `Token ${options.key}`, "content-type": mimeType },
          body: data,
        },
        { schema: answerSchema, maxBytes: 4 * 1024 * 1024 },
        signal,
      );
      return results.channels
        .map(({ alternatives }) => alternatives[0]?.transcript ?? "")
        .join(" ")
        .trim();
    },
  };
}
