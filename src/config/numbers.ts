/** How a person may be written in the file or by a platform. Stands here so that the file can be checked early. */

const punctuation = /[\s+\-.()[\]/\u2010-\u2015\u00a0\u202a-\u202e\u2066-\u2069]/g;
const bareNumber = /^[1-9]\d{2,14}$/;

/**
 * E.164 with its plus, or null where `raw` is not an international number: 3 to 15 digits that do not begin with 0
 * (ITU-T E.164 allows 15). Plus, spaces, dashes, dots and brackets are ignored.
 */
export function canonicalPhone(raw: string): string | null {
  if (raw === "") return null;
  // Most come as bare digits, and are spared the search for punctuation.
  if (bareNumber.test(raw)) return `+${raw}`;
  const digits = raw.replace(punctuation, "");
  return bareNumber.test(digits) ? `+${digits}` : null;
}

/**
 * A business-scoped user id: country code, a dot, up to 128 letters and digits (`US.13491208655302741918`), or a
 * parent one (`US.ENT.…`). Source: Meta, business-scoped-user-ids, 7 May 2026.
 */
export function isBusinessScopedId(raw: string): boolean {
  return /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/.test(raw);
}

/** A LID without device and agent part (`123:4@lid` is `123@lid`), or null where `raw` is none. */
export function canonicalLid(raw: string): string | null {
  const match = /^(\d{1,32})(?:_\d+)?(?::\d+)?@(?:lid|hosted\.lid)$/.exec(raw.trim());
  return match ? `${match[1]}@lid` : null;
}

/** Whom `send --to` and `notification_target` may name. The id is an E.164 number, BSUID, LID, or a group's id or JID. */
export type Target =
  { kind: "phone" | "user" | "lid" | "group"; id: string } | { kind: "self"; id: null };

/** Null where `raw` names nobody. */
export function parseTarget(raw: string): Target | null {
  const name = raw.trim();
  const lid = canonicalLid(name);
  if (lid) return { kind: "lid", id: lid };
  if (/^group:.+/.test(name)) return { kind: "group", id: name.slice("group:".length) };
  if (name.endsWith("@g.us")) return { kind: "group", id: name };
  if (name === "self") return { kind: "self", id: null };
  if (isBusinessScopedId(name)) return { kind: "user", id: name };
  const phone = canonicalPhone(name.replace(/@s\.whatsapp\.net$/, ""));
  return phone === null ? null : { kind: "phone", id: phone };
}

/** What one entry of `allowed_numbers` means; `invalid` entries are warned of and ignored. */
export type AllowedEntry =
  | { kind: "everybody" }
  | { kind: "phone"; phone: string }
  | { kind: "user"; userId: string }
  | { kind: "invalid" };

export function parseAllowedEntry(entry: string): AllowedEntry {
  const trimmed = entry.trim();
  if (trimmed === "*") return { kind: "everybody" };
  if (isBusinessScopedId(trimmed)) return { kind: "user", userId: trimmed };
  const phone = canonicalPhone(trimmed);
  return phone === null ? { kind: "invalid" } : { kind: "phone", phone };
}
