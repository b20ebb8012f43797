import { builtin } from "../runtime/builtin.ts";

const prefix = "hash:";

/** An id of our own for a message that came without one: the same for a repetition of the same parts, which are plain JSON. */
export function ownId(parts: readonly unknown[]): string {
  const hash = builtin.crypto().createHash("sha256").update(JSON.stringify(parts));
  return prefix + hash.digest("hex").slice(0, 32);
}

/** Is it one of these, of which the platform knows nothing? */
export function isOwnId(id: string): boolean {
  return id.startsWith(prefix);
}
