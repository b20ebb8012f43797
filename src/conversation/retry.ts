import type { SendFailure } from "../channels/message.ts";

/** First pause after a failed try, ms; it doubles. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;
/** 2 s doubling to 5 min: the last of 25 tries lies over an hour after the first, however the pauses are spread. */
const MAX_ATTEMPTS = 25;
/** A recipient's own limit (131056) asks for 4^n seconds. */
const RECIPIENT_BASE = 4;

export type RetryDecision = { again: false } | { again: true; afterMs: number };

/**
 * Whether and when a failed send is tried again. `attempts` counts the tries made; `random` is in [0, 1) and spreads
 * the pause by a fifth either way. Never called for `hold` and `ambiguous`.
 */
export function decideRetry(failure: SendFailure, attempts: number, random: number): RetryDecision {
  if (failure.retry === "no" || attempts >= MAX_ATTEMPTS) return { again: false };
  const exponential =
    failure.retry === "recipient"
      ? 1000 * RECIPIENT_BASE ** Math.min(attempts, 6)
      : FIRST_PAUSE * 2 ** Math.min(attempts - 1, 10);
  const spread = Math.min(exponential, LONGEST_PAUSE) * (0.8 + 0.4 * random);
  return { again: true, afterMs: Math.round(Math.max(failure.afterMs ?? 0, spread)) };
}
