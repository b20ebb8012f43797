import type { Clock } from "../runtime/clock.ts";

export interface Deadline {
  /** Aborts at the deadline, or when the caller's own signal does. */
  signal: AbortSignal;
  /** Was it the deadline that aborted? */
  readonly expired: boolean;
  /** Calls the deadline off; the caller's own signal goes on counting. */
  cancel(): void;
}

/** A signal that also aborts after `ms` of this clock. Cancel it when the work is done. */
export function startDeadline(clock: Clock, ms: number, caller: AbortSignal): Deadline {
  const timer = new AbortController();
  let expired = false;
  const cancel = clock.after(ms, () => {
    expired = true;
    timer.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
  });
  return {
    signal: AbortSignal.any([timer.signal, caller]),
    get expired() {
      return expired;
    },
    cancel,
  };
}
