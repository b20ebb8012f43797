/**
 * Deno gives no codes. Its words name the step that failed (hyper-util's `ErrorKind`); before `Connect` is done nothing
 * is written.
 */
const denoConnectError = /: client error \(Connect\): (.*)/s;
const denoCodes = [
  ["Connection refused", "ECONNREFUSED"],
  ["dns error", "ENOTFOUND"],
  ["Too many open files", "EMFILE"],
  ["invalid peer certificate", "CERT_UNTRUSTED"],
] as const;

/**
 * A name for why a request got no answer (`ECONNREFUSED`, `ConnectionRefused`, `ENOTFOUND`, …), fit for a log: the
 * messages of network errors hold whole addresses, which may carry secrets, so only codes pass.
 */
export function networkErrorCode(error: unknown): string {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    if ("code" in current && typeof current.code === "string" && /^\w{1,60}$/.test(current.code)) {
      return current.code;
    }
    const unconnected = denoConnectError.exec(current.message)?.[1];
    if (unconnected !== undefined) {
      return denoCodes.find(([words]) => unconnected.includes(words))?.[1] ?? "FailedToOpenSocket";
    }
    if (current.cause === undefined) return current.name;
    current = current.cause;
  }
  return "network";
}
