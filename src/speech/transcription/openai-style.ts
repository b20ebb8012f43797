import * as v from "valibot";
import { askJson, type Connection } from "../service.ts";
import { maxAudioBytes, type TranscriptionService } from "./audio.ts";

export interface OpenAiStyleOptions {
  connection: Connection;
  /** The whole address that takes the POST. */
  url: string;
  bearer: string;
  missing: string | null;
  maxBytes?: number;
  /** Fields beside `file`; those without a value are left out. */
  fields: Record<string, string | undefined>;
}

const answerSchema = v.object({ text: v.string() });

/**
 * Services that speak as OpenAI's does (OpenAI, Groq, Whisper servers of one's own): a multipart POST with the sound
 * in `file`, the words in `text` of the JSON answer.
 * https://platform.openai.com/docs/api-reference/audio/createTranscription
 */
export function createOpenAiStyle(options: OpenAiStyleOptions): TranscriptionService {
  return {
    missing: options.missing,
    maxBytes: options.maxBytes ?? maxAudioBytes,
    maxSeconds: null,
    async transcribe({ data, mimeType, filename }, signal) {
      const form = new FormData();
      form.set("file", new Blob([data], { type: mimeType }), filename);
      for (const [name, value] of Object.entries(options.fields)) {
        if (value) form.set(name, value);
      }
      const { text } = await askJson(
        options.connection,
        options.url,
        {
          method: "POST",
          headers: options.bearer === "" ? {} : { authorization: `Bearer ${options.bearer}` },
          body: form,
        },
        { schema: answerSchema, maxBytes: 1024 * 1024 },
        signal,
      );
      return text.trim();
    },
  };
}
