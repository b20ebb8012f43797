/** The result, or null as soon as the signal aborts. */
export async function untilInterrupted<T>(
  working: Promise<T>,
  signal: AbortSignal,
): Promise<T | null> {
  // What comes after the interruption is nobody's any more, a failure included.
  working.catch(() => {});
  if (signal.aborted) return null;
  const stopped = Promise.withResolvers<null>();
  const stop = () => stopped.resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([working, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
