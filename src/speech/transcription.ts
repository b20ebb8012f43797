import { isWebAddress } from "../config/addresses.ts";
import type { TranscriptionConfig } from "../config/schema.ts";
import type { Fetch } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { SpeechError } from "./error.ts";
import {
  hostedTimeoutMs,
  serviceKey,
  serviceUrls,
  under,
  type Connection,
  type ServiceUrls,
} from "./service.ts";
import { createAssemblyAi } from "./transcription/assemblyai.ts";
import { readAudio, type TranscriptionService } from "./transcription/audio.ts";
import { createDeepgram } from "./transcription/deepgram.ts";
import { createGoogleSpeech } from "./transcription/google.ts";
import { createOpenAiStyle } from "./transcription/openai-style.ts";

/** Why a sound is not transcribed. A bounded set, fit for a metric. */
export type TranscriptionRefusal = "not_a_voice_note" | "too_long" | "too_large" | "not_configured";

export interface Transcriber {
  /** The provider as the configuration names it. */
  readonly provider: TranscriptionConfig["default_provider"];
  /** Can it work at all? The reason is for the operator. */
  readonly ready: { ok: true } | { ok: false; reason: string };
  /**
   * Would this be transcribed, as far as the platform's word goes? null when it would. `size` is in bytes; a duration
   * that is not known yet is read off the file later.
   */
  accepts(media: {
    voice: boolean;
    durationSecs: number | null;
    size: number;
  }): TranscriptionRefusal | null;
  /**
   * The words of a sound file, `""` where there are none. Throws {@link SpeechError}, also where the file turns out
   * longer than allowed, or the signal's reason when aborted.
   */
  transcribe(
    file: { path: string; mimeType: string | null; filename: string | null },
    signal: AbortSignal,
  ): Promise<string>;
}

export interface TranscriberOptions {
  config: TranscriptionConfig;
  env: Record<string, string | undefined>;
  /** The fetch of a service: `transcription.` and the provider's name. */
  fetchFor: (service: string) => Fetch;
  clock: Clock;
  log: Logger;
  baseUrls?: Partial<ServiceUrls>;
}

/** What `[transcription]` asks for, or null where it is off. A missing key is said by `ready`. */
export function createTranscriber(options: TranscriberOptions): Transcriber | null {
  const { config, log } = options;
  if (!config.enabled) return null;
  const provider = config.default_provider;
  const service = createService(options);
  const maxSeconds = Math.min(config.max_duration_secs, service.maxSeconds ?? Infinity);
  // Platforms count whole seconds.
  const tooLong = (seconds: number) => Math.floor(seconds) > maxSeconds;
  if (service.missing)
    log.warn({ provider }, `voice notes are not transcribed: ${service.missing}`);

  return {
    provider,
    ready: service.missing ? { ok: false, reason: service.missing } : { ok: true },
    accepts({ voice, durationSecs, size }) {
      if (!voice && !config.transcribe_non_ptt_audio) return "not_a_voice_note";
      if (durationSecs !== null && tooLong(durationSecs)) return "too_long";
      if (size > service.maxBytes) return "too_large";
      return service.missing ? "not_configured" : null;
    },
    async transcribe({ path, mimeType }, signal) {
      signal.throwIfAborted();
      if (service.missing) throw new SpeechError(service.missing, false);
      const audio = await readAudio(path, mimeType, service.maxBytes);
      const seconds = audio.durationSecs;
      if (seconds !== null && tooLong(seconds)) {
        throw new SpeechError(
          `the audio is ${Math.floor(seconds)} seconds long, more than the ${maxSeconds} allowed`,
          false,
        );
      }
      const text = await service.transcribe(audio, signal);
      log.debug(
        { provider, bytes: audio.data.length, seconds, letters: text.length },
        "transcribed",
      );
      return text;
    },
  };
}

function createService(options: TranscriberOptions): TranscriptionService {
  const { config, env, clock } = options;
  const provider = config.default_provider;
  const urls = { ...serviceUrls, ...options.baseUrls };
  const { language } = config;
  const connection: Connection = {
    name: provider,
    fetch: options.fetchFor(`transcription.${provider}`),
    clock,
    timeoutMs: hostedTimeoutMs,
  };
  const key = (configured: string | undefined, table: string, variable: string) =>
    serviceKey(configured, env, { table, variable });
  const hints = { language, prompt: config.initial_prompt };

  switch (provider) {
    case "groq": {
      const { key: bearer, missing } = key(config.api_key, "transcription", "GROQ_API_KEY");
      const url = config.api_url;
      // A stand-in under one's own address may well ask for no key.
      const own = URL.parse(url)?.host !== "api.groq.com";
      const fields = { model: config.model, response_format: "json", ...hints };
      return createOpenAiStyle({
        connection,
        url,
        bearer,
        missing: problemOf(url, "transcription", "api_url") ?? (own ? null : missing),
        fields,
      });
    }
    case "openai": {
      const { key: bearer, missing } = key(
        config.openai.api_key,
        "transcription.openai",
        "OPENAI_API_KEY",
      );
      const url = under(urls.openai, "/audio/transcriptions");
      const fields = { model: config.openai.model, response_format: "json", ...hints };
      return createOpenAiStyle({ connection, url, bearer, missing, fields });
    }
    case "local_whisper": {
      const { url = "", bearer_token, max_audio_bytes, timeout_secs } = config.local_whisper;
      return createOpenAiStyle({
        connection: { ...connection, timeoutMs: timeout_secs * 1000 },
        url,
        bearer: bearer_token ?? "",
        missing: problemOf(url, "transcription.local_whisper", "url"),
        maxBytes: max_audio_bytes,
        fields: hints,
      });
    }
    case "deepgram":
      return createDeepgram({
        connection,
        baseUrl: urls.deepgram,
        model: config.deepgram.model,
        language,
        ...key(config.deepgram.api_key, "transcription.deepgram", "DEEPGRAM_API_KEY"),
      });
    case "assemblyai":
      return createAssemblyAi({
        connection,
        baseUrl: urls.assemblyai,
        language,
        ...key(config.assemblyai.api_key, "transcription.assemblyai", "ASSEMBLYAI_API_KEY"),
      });
    case "google":
      return createGoogleSpeech({
        connection,
        baseUrl: urls.googleSpeech,
        languageCode: config.google.language_code,
        ...key(config.google.api_key, "transcription.google", "GOOGLE_API_KEY"),
      });
  }
}

function problemOf(url: string, table: string, name: string): string | null {
  return isWebAddress(url) ? null : `no address: set [${table}] ${name} to an http or https URL`;
}
