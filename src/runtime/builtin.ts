import { once } from "./once.ts";

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
