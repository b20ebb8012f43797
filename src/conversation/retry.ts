import type { Channel } from "../channels/channel.ts";
import type { SendFailure } from "../channels/message.ts";

/** First pause after a failed try, ms; it doubles. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;
/** 2 s doubling to 5 min: the last of 25 tries lies over an hour after the first, however the pauses are spread. */
const MAX_ATTEMPTS = 25;
/** Tries of which none was answered, where a repeat that did arrive would be read twice. */
const MAX_UNANSWERED = 3;
/** A recipient's own limit (131056) asks for 4^n seconds. */
const RECIPIENT_BASE = 4;

export type RetryDecision = { again: false } | { again: true; afterMs: number };

/**
 * Whether and when a failed send is tried again. `attempts` counts the tries made; `random` is in [0, 1) and spreads
 * the pause by a fifth either way. Where receivers would read a repeat twice (`repeat`), what is never answered is not
 * tried for long. Never called for `hold`.
 */
export function decideRetry(
  failure: SendFailure,
  attempts: number,
  repeat: Channel["repeat"],
  random: number,
): RetryDecision {
  if (failure.retry === "no" || attempts >= MAX_ATTEMPTS) return { again: false };
  const unanswered = failure.retry === "ambiguous" && repeat !== "same-id";
  if (unanswered && attempts >= MAX_UNANSWERED) return { again: false };
  // What is asked for is the least, and there is nobody else to be kept apart from.
  const ofRecipient = failure.retry === "recipient";
  const exponential = ofRecipient
    ? 1000 * RECIPIENT_BASE ** Math.min(attempts, 6)
    : FIRST_PAUSE * 2 ** Math.min(attempts - 1, 10);
  const spread = Math.min(exponential, LONGEST_PAUSE) * (ofRecipient ? 1 : 0.8 + 0.4 * random);
  return { again: true, afterMs: Math.round(Math.max(failure.afterMs ?? 0, spread)) };
}
