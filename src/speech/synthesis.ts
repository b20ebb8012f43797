import { rename, rm, writeFile } from "node:fs/promises";
import { isWebAddress } from "../config/addresses.ts";
import type { TtsConfig } from "../config/schema.ts";
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
import { createEdge } from "./synthesis/edge.ts";
import { createElevenLabs } from "./synthesis/elevenlabs.ts";
import { createGoogleTextToSpeech } from "./synthesis/google.ts";
import { createOpenAiStyleSpeech } from "./synthesis/openai-style.ts";
import type { SynthesisService } from "./synthesis/service.ts";
import { speakable } from "./synthesis/speakable.ts";
import { makeVoiceNote } from "./synthesis/voice-note.ts";

/** WhatsApp plays nothing else as a voice note. */
const voiceNoteType = "audio/ogg; codecs=opus";

export interface VoiceNote {
  /** The target file. */
  path: string;
  mimeType: typeof voiceNoteType;
  /** Whole seconds, at least one. */
  durationSecs: number;
}

export interface Synthesizer {
  /** The provider as the configuration names it. */
  readonly provider: TtsConfig["default_provider"];
  /**
   * Do its answers end up as voice notes, as far as is known? The reason is for the operator. A provider that turns
   * out to give another format than hoped for changes this while it runs.
   */
  readonly canVoice: { ok: true } | { ok: false; reason: string };
  /**
   * Speaks an answer in Markdown into a file (mode 0600, complete or not there). null where there is nothing to speak,
   * too much, or no voice note can be made of it: the text stands alone then. Throws {@link SpeechError} where the
   * provider fails, or the signal's reason when aborted.
   */
  synthesize(text: string, targetFile: string, signal: AbortSignal): Promise<VoiceNote | null>;
}

export interface SynthesizerOptions {
  config: TtsConfig;
  env: Record<string, string | undefined>;
  /** The fetch of a service: `tts.` and the provider's name. */
  fetchFor: (service: string) => Fetch;
  /** For edge-tts, which makes its own connections; left out, it goes directly. */
  proxyUrlFor?: (service: string, url: URL) => string | null;
  clock: Clock;
  log: Logger;
  /** Path of ffmpeg; null where there is none. */
  ffmpeg: string | null;
  baseUrls?: Partial<ServiceUrls>;
  /** How a service is asked, such as again; left out, once. */
  asking?: (ask: () => Promise<Uint8Array>, signal: AbortSignal) => Promise<Uint8Array>;
}

/** What `[tts]` asks for, or null where it is off. `default_format` has no say: WhatsApp takes one format. */
export function createSynthesizer(options: SynthesizerOptions): Synthesizer | null {
  const { config, env, clock, log, ffmpeg, asking = (ask) => ask() } = options;
  if (!config.enabled) return null;
  const provider = config.default_provider;
  const service = createService(options);
  let obstacle =
    service.missing ??
    (service.needsConversion && !ffmpeg
      ? `${provider} gives no Ogg/Opus and ffmpeg is not installed`
      : null);
  if (obstacle !== null) log.warn({ provider }, `answers are not spoken: ${obstacle}`);

  return {
    provider,
    get canVoice(): Synthesizer["canVoice"] {
      return obstacle === null ? { ok: true } : { ok: false, reason: obstacle };
    },
    async synthesize(markdown, targetFile, signal) {
      signal.throwIfAborted();
      if (service.missing || (service.needsConversion && !ffmpeg)) return null;
      const text = speakable(markdown);
      if (text === "") return null;
      if (text.length > config.max_text_length || !service.fits(text)) {
        log.info({ provider, letters: text.length }, "the answer is too long to be spoken");
        return null;
      }
      const sound = await asking(() => service.speak(text, signal), signal);
      const note = await makeVoiceNote(sound, { ffmpeg, env, clock }, signal);
      if (!note) {
        obstacle = `${provider} gave no Ogg/Opus mono and ffmpeg is not installed`;
        log.warn({ provider }, `an answer is not spoken: ${obstacle}`);
        return null;
      }
      obstacle = null;
      await write(targetFile, note.data);
      return {
        path: targetFile,
        mimeType: voiceNoteType,
        durationSecs: Math.max(1, Math.round(note.durationSecs)),
      };
    },
  };
}

async function write(file: string, data: Uint8Array): Promise<void> {
  const part = `${file}.part`;
  try {
    await writeFile(part, data, { mode: 0o600 });
    await rename(part, file);
  } catch {
    await rm(part, { force: true });
    throw new SpeechError("the voice note cannot be written", true);
  }
}

function createService(options: SynthesizerOptions): SynthesisService {
  const { config, env, clock } = options;
  const provider = config.default_provider;
  const urls = { ...serviceUrls, ...options.baseUrls };
  const connection: Connection = {
    name: provider,
    fetch: options.fetchFor(`tts.${provider}`),
    clock,
    timeoutMs: hostedTimeoutMs,
  };
  const voice = config.default_voice;

  switch (provider) {
    case "openai": {
      const { key: bearer, missing } = serviceKey(config.openai.api_key, env, {
        table: "tts.openai",
        variable: "OPENAI_API_KEY",
      });
      const { model, speed } = config.openai;
      const url = under(urls.openai, "/audio/speech");
      return createOpenAiStyleSpeech({
        connection,
        url,
        bearer,
        missing,
        model,
        voice,
        speed,
        maxCharacters: 4096,
      });
    }
    case "piper": {
      const url = config.piper.api_url;
      return createOpenAiStyleSpeech({
        connection,
        url,
        bearer: "",
        model: "tts-1",
        voice,
        speed: undefined,
        missing: isWebAddress(url)
          ? null
          : "no address: set [tts.piper] api_url to an http or https URL",
        maxCharacters: Infinity,
      });
    }
    case "elevenlabs": {
      const { model_id: model, stability, similarity_boost: similarityBoost } = config.elevenlabs;
      const key = serviceKey(config.elevenlabs.api_key, env, {
        table: "tts.elevenlabs",
        variable: "ELEVENLABS_API_KEY",
      });
      return createElevenLabs({
        connection,
        baseUrl: urls.elevenlabs,
        voice,
        model,
        stability,
        similarityBoost,
        ...key,
      });
    }
    case "google": {
      const key = serviceKey(config.google.api_key, env, {
        table: "tts.google",
        variable: "GOOGLE_API_KEY",
      });
      const { language_code: languageCode } = config.google;
      return createGoogleTextToSpeech({
        connection,
        baseUrl: urls.googleTextToSpeech,
        voice,
        languageCode,
        ...key,
      });
    }
    case "edge":
      return createEdge({
        binary: config.edge.binary_path,
        voice,
        env,
        clock,
        proxyUrl: (url) => options.proxyUrlFor?.("tts.edge", url) ?? null,
      });
  }
}
