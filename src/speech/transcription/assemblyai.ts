import * as v from "valibot";
import { sleep } from "../../runtime/clock.ts";
import { SpeechError } from "../error.ts";
import { askJson, under, type Connection } from "../service.ts";
import { maxAudioBytes, type TranscriptionService } from "./audio.ts";

export interface AssemblyAiOptions {
  connection: Connection;
  baseUrl: string;
  key: string;
  missing: string | null;
  /** undefined: AssemblyAI finds out. */
  language: string | undefined;
}

/** Between two questions whether it is ready, in milliseconds. */
const pollMs = 1_500;
/** How long a transcript may take after the upload; a two-minute note takes some ten seconds. */
const deadlineMs = 120_000;
/** Questions in a row that may fail: to give up is to upload and pay anew. */
const mostFailures = 2;

const answer = <S extends v.GenericSchema>(schema: S) => ({ schema, maxBytes: 8 * 1024 * 1024 });
const uploadSchema = v.object({ upload_url: v.pipe(v.string(), v.trim(), v.url()) });
const createdSchema = v.object({ id: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/)) });
const transcriptSchema = v.object({
  status: v.picklist(["queued", "processing", "completed", "error"]),
  text: v.nullish(v.string()),
});

/**
 * AssemblyAI's pre-recorded audio: upload the sound, order a transcript, ask until it is there. The model is left to
 * AssemblyAI, whose default follows its own newest.
 * https://www.assemblyai.com/docs/api-reference/transcripts/submit
 */
export function createAssemblyAi(options: AssemblyAiOptions): TranscriptionService {
  const { connection, language } = options;
  const { clock, name } = connection;
  const headers = { authorization: options.key };
  const transcripts = under(options.baseUrl, "/transcript");

  return {
    missing: options.missing,
    maxBytes: maxAudioBytes,
    maxSeconds: null,
    async transcribe({ data }, signal) {
      const upload = await askJson(
        connection,
        under(options.baseUrl, "/upload"),
        {
          method: "POST",
          headers: { ...headers, "content-type": "application/octet-stream" },
          body: data,
        },
        answer(uploadSchema),
        signal,
      );
      const { id } = await askJson(
        connection,
        transcripts,
        {
          method: "POST",
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify({
            audio_url: upload.upload_url,
            ...(language ? { language_code: language } : { language_detection: true }),
          }),
        },
        answer(createdSchema),
        signal,
      );
      const deadline = clock.now() + deadlineMs;
      for (let failures = 0; ;) {
        try {
          const { status, text } = await askJson(
            connection,
            `${transcripts}/${id}`,
            { headers },
            answer(transcriptSchema),
            signal,
          );
          if (status === "completed") return (text ?? "").trim();
          if (status === "error") {
            throw new SpeechError(`${name} could not transcribe the audio`, false);
          }
          failures = 0;
        } catch (error) {
          const passing = error instanceof SpeechError && error.retryable;
          if (!passing || ++failures > mostFailures) throw error;
        }
        if (clock.now() + pollMs > deadline) {
          throw new SpeechError(`${name} was not ready within ${deadlineMs / 1000} seconds`, true);
        }
        await sleep(clock, pollMs, signal);
      }
    },
  };
}
