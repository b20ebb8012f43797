import { builtin } from "./builtin.ts";

/**
 * HMAC-SHA256 of bytes under a key. `Bun.CryptoHasher` does in one microsecond what the `node:` interface does in two
 * and a half.
 */
export function hmacSha256(key: string, bytes: Uint8Array): Uint8Array {
  if (typeof Bun === "undefined")
    return builtin.crypto().createHmac("sha256", key).update(bytes).digest();
  return new Bun.CryptoHasher("sha256", key).update(bytes).digest();
}
