/** Why it failed, fit for a log: what the system says of files holds the names that people gave their files. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("syscall" in error && "code" in error) return `the system says ${String(error.code)}`;
  return error.message;
}
