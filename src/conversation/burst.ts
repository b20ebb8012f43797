/** Messages of one chat that come closer together than the debounce are one burst: one turn. Times in ms. */
export interface Arrival {
  receivedAt: number;
}

/** A burst waits at most this many times the debounce for its end. */
const MAX_WAIT_FACTOR = 3;

/** No burst waits longer, even where its messages seem to come from the future: a clock may be set back. */
export function longestBurst(debounceMs: number): number {
  return debounceMs * MAX_WAIT_FACTOR;
}

/** The leading messages that belong to one turn. Without a debounce, each message is a turn of its own. */
export function takeBurst<T extends Arrival>(waiting: T[], debounceMs: number): T[] {
  const [first] = waiting;
  if (!first) return [];
  if (debounceMs <= 0) return [first];
  const burst = [first];
  for (const next of waiting.slice(1)) {
    const previous = burst[burst.length - 1] ?? first;
    const apart = next.receivedAt - previous.receivedAt;
    const span = next.receivedAt - first.receivedAt;
    if (apart > debounceMs || span > longestBurst(debounceMs)) break;
    burst.push(next);
  }
  return burst;
}

/** When the leading burst is complete and its turn may begin. */
export function burstDue(waiting: Arrival[], debounceMs: number): number {
  const burst = takeBurst(waiting, debounceMs);
  const first = burst[0];
  const last = burst[burst.length - 1];
  if (!first || !last || debounceMs <= 0) return 0;
  // Someone already wrote after the gap: nothing more can join.
  if (burst.length < waiting.length) return 0;
  return Math.min(last.receivedAt + debounceMs, first.receivedAt + longestBurst(debounceMs));
}
