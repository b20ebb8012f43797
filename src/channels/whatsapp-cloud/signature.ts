import { builtin } from "../../runtime/builtin.ts";
import { hmacSha256 } from "../../runtime/hmac.ts";

/**
 * Is `header` (X-Hub-Signature-256) Meta's signature of this body? It is `sha256=` and the HMAC-SHA256 of the raw
 * bytes under the app secret, in hex of either case. Compared in constant time; a missing or malformed header is
 * false. Source: Graph API, webhooks, getting started, "Validating payloads".
 */
export function signatureMatches(
  header: string | null | undefined,
  body: Uint8Array,
  appSecret: string,
): boolean {
  const given = /^sha256=([0-9a-fA-F]{64})$/.exec(header ?? "")?.[1];
  if (given === undefined) return false;
  return builtin.crypto().timingSafeEqual(Buffer.from(given, "hex"), hmacSha256(appSecret, body));
}
