import type { Config } from "../config/schema.ts";
import type { Network } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import { findExecutable } from "../runtime/executable.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Synthesizer } from "./synthesis.ts";
import type { Transcriber } from "./transcription.ts";

export interface Speech {
  /** Null where answers are not spoken. */
  synthesizer: Synthesizer | null;
  /** Null where voice notes are not transcribed. */
  transcriber: Transcriber | null;
}

/** What `[tts]` and `[transcription]` ask for. Nothing is loaded for what is off. */
export async function createSpeech(options: {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  network: Network;
  clock: Clock;
  log: Logger;
}): Promise<Speech> {
  const { env, network, clock, log } = options;
  const { tts, transcription } = options.config;
  const fetchFor = (service: string) => network.fetchFor(service);
  const speech: Speech = { synthesizer: null, transcriber: null };
  if (tts?.enabled) {
    const { createSynthesizer } = await import("./synthesis.ts");
    const { persistently } = await import("./persistent.ts");
    speech.synthesizer = createSynthesizer({
      config: tts,
      env,
      fetchFor,
      proxyUrlFor: (service, url) => network.proxyUrlFor(service, url),
      clock,
      log,
      ffmpeg: findExecutable("ffmpeg", env["PATH"]),
      asking: (ask, signal) => persistently(ask, clock, signal),
    });
  }
  if (transcription?.enabled) {
    const { createTranscriber } = await import("./transcription.ts");
    const { persistent } = await import("./transcription/persistent.ts");
    const transcriber = createTranscriber({ config: transcription, env, fetchFor, clock, log });
    speech.transcriber = transcriber && persistent(transcriber, clock);
  }
  return speech;
}
