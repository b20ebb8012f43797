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
