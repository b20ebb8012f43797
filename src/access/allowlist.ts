import type { Sender } from "../channels/message.ts";
import { parseAllowedEntry } from "../config/numbers.ts";
import { phoneKey } from "./identity.ts";

type Identities = Pick<Sender, "phone" | "userId" | "parentUserId" | "lid">;

export interface Allowlist {
  /** The list has `"*"`. */
  readonly everybody: boolean;
  /** Nobody is allowed: no entry, or none that counts. */
  readonly empty: boolean;
  /** Positions of the entries that are neither a number, nor a BSUID, nor `"*"`. They allow nobody. */
  readonly invalid: number[];
  allows(sender: Identities): boolean;
}

/**
 * Reads `allowed_numbers`: `[]` nobody, `"*"` everybody, otherwise numbers (compared by {@link phoneKey}) and BSUIDs, parent ones too.
 * A sender of whom only a LID is known passes `"*"` alone.
 */
export function compileAllowlist(entries: readonly string[]): Allowlist {
  const phones = new Set<string>();
  const users = new Set<string>();
  const invalid: number[] = [];
  let everybody = false;
  for (const [index, entry] of entries.entries()) {
    const parsed = parseAllowedEntry(entry);
    if (parsed.kind === "everybody") everybody = true;
    else if (parsed.kind === "user") users.add(parsed.userId);
    else if (parsed.kind === "phone") phones.add(phoneKey(parsed.phone) ?? parsed.phone);
    else invalid.push(index);
  }
  return {
    everybody,
    empty: !everybody && phones.size === 0 && users.size === 0,
    invalid,
    allows(sender) {
      if (everybody) return true;
      if (users.has(sender.userId ?? "") || users.has(sender.parentUserId ?? "")) return true;
      const key = sender.phone === null ? null : phoneKey(sender.phone);
      return key !== null && phones.has(key);
    },
  };
}
