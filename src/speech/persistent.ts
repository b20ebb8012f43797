import { sleep, type Clock } from "../runtime/clock.ts";
import { SpeechError } from "./error.ts";

/** Before each further try, ms: a restart takes that long, and a person who wrote waits meanwhile. */
const pauses = [1_000, 4_000];
/** A service that took this long, in all, is asked no more, ms. */
const longestMs = 60_000;

/** Asks again where that may help: a service that is restarted, or has had too many requests. */
export async function persistently<T>(
  ask: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  const end = clock.now() + longestMs;
  for (const pause of pauses) {
    try {
      return await ask();
    } catch (error) {
      const worthIt = error instanceof SpeechError && error.retryable;
      if (!worthIt || clock.now() + pause > end) throw error;
    }
    await sleep(clock, pause, signal);
  }
  return ask();
}
