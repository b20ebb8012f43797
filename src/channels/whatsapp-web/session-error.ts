/**
 * The session store cannot be used. The message says what a person can do about it; a session is never replaced or
 * linked anew because of one of these.
 */
export class SessionError extends Error {
  override readonly name = "SessionError";
  constructor(
    readonly code:
      "missing_key" | "wrong_key" | "bad_key" | "locked" | "foreign" | "damaged" | "unusable",
    message: string,
  ) {
    super(message);
  }
}

/** Whatever file system or SQLite say, with where to look. */
export function asSessionError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const detail = error instanceof Error ? error.message : "unknown error";
  return new SessionError(
    "unusable",
    `the WhatsApp session cannot be opened (${detail}): see to session_path, its folder's permissions and the disk's space`,
  );
}
