/**
 * A name for why a request got no answer (`ECONNREFUSED`, `ConnectionRefused`, `ENOTFOUND`, …), fit for a log: the
 * messages of network errors hold whole addresses, which may carry secrets, so only codes pass.
 */
export function networkErrorCode(error: unknown): string {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    if ("code" in current && typeof current.code === "string" && /^\w{1,60}$/.test(current.code)) {
      return current.code;
    }
    if (current.cause === undefined) return current.name;
    current = current.cause;
  }
  return "network";
}
