import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { transcriptionSchema } from "../../src/config/schema-speech.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import {
  createTranscriber,
  type Transcriber,
  type TranscriberOptions,
} from "../../src/speech/transcription.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { opusFile } from "./opus.ts";
import { standIn } from "./stand-in.ts";

/** The key that every provider is given; it must show up nowhere else. */
export const key = "key-81ac-not-to-be-seen";

/** What each provider says when it heard "hello there". */
export const answers: Record<string, unknown> = {
  "/deepgram/listen": {
    results: { channels: [{ alternatives: [{ transcript: "hello there", confidence: 1 }] }] },
  },
  "/assemblyai/upload": { upload_url: "https://cdn.assemblyai.example/upload/1" },
  "/assemblyai/transcript": { id: "t-1", status: "queued" },
  "/assemblyai/transcript/t-1": { id: "t-1", status: "completed", text: "hello there" },
  "/google/speech:recognize": {
    results: [
      { alternatives: [{ transcript: "hello" }, { transcript: "hallo" }] },
      { alternatives: [{ transcript: " there" }] },
    ],
  },
};

/** One stand-in for every transcription provider, a voice note of three seconds, and transcribers that ask it. */
export function transcriptionBench() {
  const server = standIn();
  const folder = mkdtempSync(join(tmpdir(), "revka-transcription-"));
  const voice = join(folder, "voice");
  writeFileSync(voice, opusFile(3));

  /** Each provider, with its key in the table of its own. */
  const providers = {
    groq: { default_provider: "groq", api_key: key },
    openai: { default_provider: "openai", openai: { api_key: key } },
    deepgram: { default_provider: "deepgram", deepgram: { api_key: key } },
    assemblyai: { default_provider: "assemblyai", assemblyai: { api_key: key } },
    google: { default_provider: "google", google: { api_key: key } },
    local_whisper: {
      default_provider: "local_whisper",
      local_whisper: { url: `${server.url}/local`, bearer_token: key },
    },
  };

  return {
    server,
    folder,
    providers,
    everyProvider: Object.entries(providers),
    file: (path = voice, mimeType: string | null = "audio/ogg; codecs=opus") => ({
      path,
      mimeType,
      filename: "Ada's secret plans.opus",
    }),
    transcriber(
      config: Record<string, unknown> = {},
      changes: Partial<TranscriberOptions> = {},
    ): Transcriber {
      const created = createTranscriber({
        config: v.parse(transcriptionSchema, {
          enabled: true,
          api_url: `${server.url}/groq/audio/transcriptions`,
          ...config,
        }),
        env: {},
        fetchFor: () => fetch,
        clock: systemClock,
        log: silentLog,
        baseUrls: {
          openai: `${server.url}/openai`,
          deepgram: `${server.url}/deepgram`,
          assemblyai: `${server.url}/assemblyai/`,
          googleSpeech: `${server.url}/google`,
        },
        ...changes,
      });
      if (!created) throw new Error("transcription is off");
      return created;
    },
    reset() {
      server.seen = [];
      server.respond = ({ path }) => Response.json(answers[path] ?? { text: " hello there " });
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
