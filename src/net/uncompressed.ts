/** A server compressed its answer without being asked. */
export class CompressedAnswer extends Error {
  override readonly name = "CompressedAnswer";
  readonly code = "compressed_answer";
  constructor() {
    super("the answer is compressed, which was not asked for");
  }
}

/** Of an answer that is compressed, and not 2xx, the status counts. Throws {@link CompressedAnswer} for a 2xx. */
export function withoutBody(response: Response): Response {
  response.body?.cancel().catch(() => {});
  if (response.ok) throw new CompressedAnswer();
  const { status, statusText, headers } = response;
  return new Response(null, { status, statusText, headers });
}
