import { builtin } from "../runtime/builtin.ts";

/**
 * Are both the same, told in a time that depends neither on where they differ nor on their lengths against each
 * other? Both sides are hashed first, since `timingSafeEqual` wants equal lengths and says so by throwing.
 */
export function equalInConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return builtin.crypto().timingSafeEqual(digest(a), digest(b));
}

function digest(value: string | Uint8Array): Buffer {
  return builtin.crypto().createHash("sha256").update(value).digest();
}
