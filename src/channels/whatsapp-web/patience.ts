import type { Clock } from "../../runtime/clock.ts";

/** What is waited for took longer than it may. */
export class DeadlineExceeded extends Error {
  override readonly name = "DeadlineExceeded";
}

/** The promise's result, or {@link DeadlineExceeded} after `ms`; the signal's reason where it is aborted before. */
export function within<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.catch(() => {});
    if (signal?.aborted) return reject(signal.reason);
    const finish = (settle: () => void) => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = () => finish(() => reject(signal?.reason));
    const cancel = clock.after(ms, () =>
      finish(() => reject(new DeadlineExceeded(`no answer within ${ms} ms`))),
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    promise.then(
      (value) => finish(() => resolve(value)),
      (error) => finish(() => reject(error)),
    );
  });
}

/** The promise's result, or the signal's reason. What goes on behind it is not waited for. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.catch(() => {});
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
