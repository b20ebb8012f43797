import type { Clock } from "../../runtime/clock.ts";
import { persistently } from "../persistent.ts";
import type { Transcriber } from "../transcription.ts";

/** One that asks its service again where that may help: else it would cost a voice note its words. */
export function persistent(transcriber: Transcriber, clock: Clock): Transcriber {
  return {
    ...transcriber,
    transcribe: (file, signal) =>
      persistently(() => transcriber.transcribe(file, signal), clock, signal),
  };
}
