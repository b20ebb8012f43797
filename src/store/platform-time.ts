const DAY = 24 * 60 * 60 * 1000;
/** Further ahead than any clock is behind: a sender of WATI's may say anything. */
const MOST = 10 * 366 * DAY;
/** A clock that is before this is behind for sure: without a battery many begin with 1970. */
const EARLIEST = Date.UTC(2026, 0);

/**
 * What is written because of messages of these times (Unix seconds) is no older than this (Unix ms), where the clock is
 * more than a day behind the platform's: it may be set right only after a restart. null: the clock seems right. Pure.
 */
export function atLeast(now: number, sent: Iterable<number>): number | null {
  const latest = Math.floor(Math.max(0, ...sent) * 1000);
  return latest > now + DAY && latest < Math.max(now, EARLIEST) + MOST ? latest : null;
}

/** When a row was written, in SQL: `column` is the time by the clock as it was then. */
export function writtenAt(column: string): string {
  return `max(${column}, ifnull(at_least, 0))`;
}
