/** Makes it at the first call, and gives the same ever after. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
