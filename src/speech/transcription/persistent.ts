import { sleep, type Clock } from "../../runtime/clock.ts";
import { SpeechError } from "../error.ts";
import type { Transcriber } from "../transcription.ts";

/** Before each further try, ms: a restart takes that long, and a person who wrote waits meanwhile. */
const pauses = [1_000, 4_000];
/** A service that took this long, in all, is asked no more, ms. */
const longestMs = 60_000;

/**
 * Asks again where that may help: a service that is restarted or has had too many requests would cost a voice note its
 * words.
 */
export function persistent(transcriber: Transcriber, clock: Clock): Transcriber {
  return {
    ...transcriber,
    async transcribe(file, signal) {
      const end = clock.now() + longestMs;
      for (const pause of pauses) {
        try {
          return await transcriber.transcribe(file, signal);
        } catch (error) {
          const worthIt = error instanceof SpeechError && error.retryable;
          if (!worthIt || clock.now() + pause > end) throw error;
        }
        await sleep(clock, pause, signal);
      }
      return transcriber.transcribe(file, signal);
    },
  };
}
