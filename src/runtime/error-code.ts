/** The code that the system or the runtime gave an error (`ENOENT`, `EADDRINUSE`, …); null where there is none. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}
