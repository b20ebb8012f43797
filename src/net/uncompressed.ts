/** A server compressed its answer without being asked. */
export class CompressedAnswer extends Error {
  override readonly name = "CompressedAnswer";
  readonly code = "compressed_answer";
  constructor() {
    super("the answer is compressed, which was not asked for");
  }
}

/** A request that asks for its answer as it is: what a few bytes unpack to has no limit. */
export function askingUncompressed(init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  return { ...init, headers };
}

/**
 * The answer, unless its body is compressed all the same. Throws {@link CompressedAnswer} then; of an answer other than
 * 2xx the status counts, and only the body goes.
 */
export function uncompressed(response: Response): Response {
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (!response.body || encoding === "" || encoding === "identity") return response;
  response.body.cancel().catch(() => {});
  if (response.ok) throw new CompressedAnswer();
  const { status, statusText, headers } = response;
  return new Response(null, { status, statusText, headers });
}
