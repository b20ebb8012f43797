import * as v from "valibot";

/** `bun.lock`: key → ["name@version", registry, details, integrity]; packages of other origins have fewer fields. */
const lockFile = v.object({ packages: v.record(v.string(), v.array(v.unknown())) });

/** `name@version` → SHA-512 of the package's archive, hexadecimal, of every package of a `bun.lock`. Pure. */
export function lockedHashes(lock: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const [id, , , integrity] of Object.values(
    v.parse(lockFile, Bun.JSONC.parse(lock)).packages,
  )) {
    if (typeof id !== "string" || typeof integrity !== "string") continue;
    const digest = /^sha512-(.+)$/.exec(integrity)?.[1];
    if (digest) hashes.set(id, Buffer.from(digest, "base64").toString("hex"));
  }
  return hashes;
}
