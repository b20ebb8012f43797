/**
 * Modules of the runtime that a start can do without, loaded when they are first used: imported, they would take a
 * fifth of its time.
 */
export const builtin = {
  childProcess: once(() => process.getBuiltinModule("node:child_process")),
  crypto: once(() => process.getBuiltinModule("node:crypto")),
  dns: once(() => process.getBuiltinModule("node:dns/promises")),
  net: once(() => process.getBuiltinModule("node:net")),
};

/** Makes it at the first call, and gives the same ever after. */
export function once<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => (loaded ??= load());
}
