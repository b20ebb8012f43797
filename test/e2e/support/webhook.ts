import { signature } from "../../../src/simulator/graph/webhooks.ts";

/** Posts a body as Meta does: bytes as they are, JSON of anything else, signed where a secret is given. */
export function postWebhook(
  url: string,
  body: unknown,
  options: { appSecret?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const bytes =
    body instanceof Uint8Array
      ? new Uint8Array(body)
      : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(options.appSecret === undefined
        ? {}
        : { "x-hub-signature-256": signature(options.appSecret, bytes) }),
      ...options.headers,
    },
    body: bytes,
  });
}
