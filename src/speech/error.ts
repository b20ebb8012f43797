/** Speech that could not be read or made. `detail` is for the log and the operator, and holds no secret. */
export class SpeechError extends Error {
  override readonly name = "SpeechError";
  constructor(
    readonly detail: string,
    /** False where trying the same again cannot help. */
    readonly retryable: boolean,
    /** What the service answered with, where it answered. */
    readonly status: number | null = null,
  ) {
    super(detail);
  }
}
