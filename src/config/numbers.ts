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
 * The digits under which a number is looked up and compared, the same for both forms of a number that has two:
 * - Brazil: mobiles got a ninth digit in front (55 AA 9XXXX-XXXX); WhatsApp knows older accounts without it. Only
 *   where the rest could be a mobile of old: a rest that begins with 2 to 5 is a landline of somebody else.
 * - Argentina: mobiles are dialled 54 9 AREA NUMBER from abroad, written without the 9 at home.
 * - Mexico: mobiles were dialled 52 1 … until 2019; WhatsApp still shows that form.
 *
 * Only a key: what is sent to keeps the form that the platform gave. Null where `phone` is not a number.
 */
export function phoneKey(phone: string): string | null {
  const digits = canonicalPhone(phone)?.slice(1);
  if (digits === undefined) return null;
  const brazil = /^(55\d\d)9([016-9]\d{7})$/.exec(digits);
  if (brazil) return `${brazil[1]}${brazil[2]}`;
  const argentina = /^549(\d{10})$/.exec(digits);
  if (argentina) return `54${argentina[1]}`;
  const mexico = /^521(\d{10})$/.exec(digits);
  if (mexico) return `52${mexico[1]}`;
  return digits;
}

/** All forms that a number has ({@link phoneKey}), as bare digits: first its own, then the other one, where it has two. */
export function numberForms(phone: string): string[] {
  const digits = phone.replace(/\D/g, "");
  const key = phoneKey(digits);
  if (key === null) return [digits];
  const others = [
    key,
    digits.replace(/^55../, "$&9"),
    digits.replace(/^54/, "$&9"),
    digits.replace(/^52/, "$&1"),
  ];
  return [digits, ...others.filter((form) => form !== digits && phoneKey(form) === key)];
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
