import type { IncomingMessage, ServerResponse } from "node:http";

/** Reads a body of at most `limit` bytes; null where it is longer or the client went away. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on("data", (part: Buffer) => {
      length += part.length;
      if (length <= limit) parts.push(part);
    });
    request.on("end", () => resolve(length <= limit ? Buffer.concat(parts) : null));
    request.on("error", () => resolve(null));
    request.on("close", () => resolve(null));
  });
}

/** Parses JSON; undefined where it is none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body), "utf8");
  response.writeHead(status, {
    "content-type": "application/json; charset=UTF-8",
    "content-length": String(bytes.length),
    ...headers,
  });
  response.end(bytes);
}
