import type { Channel } from "../channels/channel.ts";
import type { SendFailure } from "../channels/message.ts";

/** First pause after a failed try, ms; it doubles. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;
/** 2 s doubling to 5 min: the last of 25 tries lies over an hour after the first, however the pauses are spread. */
const MAX_ATTEMPTS = 25;
/** Tries of which none was answered, where a repeat that did arrive would be read twice. */
const MAX_UNANSWERED = 3;
/** Their waits grow by this: what is down for a minute or two should not use them all up. */
const UNANSWERED_BASE = 4;
/** A recipient's own limit (131056) asks for 4^n seconds. */
const RECIPIENT_BASE = 4;

/** What was tried of a delivery, the try included that has just failed. */
export interface Tries {
  /** All that may have left, also those that a stop of the daemon cut off. */
  attempts: number;
  /** Those that ended without an answer, and nobody can say whether they arrived. */
  unanswered: number;
}

export type RetryDecision = { again: false } | { again: true; afterMs: number };

/**
 * Whether and when a failed send is tried again. `random` is in [0, 1) and spreads the pause by a fifth either way.
 * Where receivers would read a repeat twice, what is never answered is not tried for long, and not before the grace of
 * its channel is over. Never called for `hold` and `unsent`.
 */
export function decideRetry(
  failure: SendFailure,
  tries: Tries,
  channel: Pick<Channel, "repeat" | "graceMs">,
  random: number,
): RetryDecision {
  if (failure.retry === "no" || tries.attempts >= MAX_ATTEMPTS) return { again: false };
  const doubtful = failure.retry === "ambiguous" && channel.repeat !== "same-id";
  if (doubtful && tries.unanswered >= MAX_UNANSWERED) return { again: false };
  // What is asked for is the least, and there is nobody else to be kept apart from.
  const ofRecipient = failure.retry === "recipient";
  const exponential = ofRecipient
    ? 1000 * RECIPIENT_BASE ** tries.attempts
    : FIRST_PAUSE * 2 ** (tries.attempts - 1);
  const longest = Math.min(exponential, LONGEST_PAUSE);
  const pause = ofRecipient ? longest : spread(longest, random);
  const wait = doubtful ? waitInDoubt(tries, channel, pause) : pause;
  return { again: true, afterMs: Math.round(Math.max(failure.afterMs ?? 0, wait)) };
}

function waitInDoubt(
  { unanswered }: Tries,
  { repeat, graceMs = FIRST_PAUSE }: Pick<Channel, "repeat" | "graceMs">,
  pause: number,
): number {
  const wait = graceMs * UNANSWERED_BASE ** Math.max(0, unanswered - 1);
  return repeat === "ask" ? Math.max(wait, pause) : wait;
}

/**
 * The pause, ms, after what could not even leave, while its platform has not been reached for `outageMs`: as long again,
 * so that it doubles. There is no last try: nothing was tried, and when it comes back nobody need have done anything.
 */
export function pauseOfUnsent(outageMs: number, random: number): number {
  return Math.round(spread(Math.min(Math.max(FIRST_PAUSE, outageMs), LONGEST_PAUSE), random));
}

function spread(pause: number, random: number): number {
  return pause * (0.8 + 0.4 * random);
}
