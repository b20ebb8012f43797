import * as v from "valibot";
import { phoneKey } from "../../config/numbers.ts";
import type { Sender } from "../message.ts";
import { lidOf, phoneOf, userOf } from "./jid.ts";

/** Which LID belongs to which number, as far as the session knows. */
export interface Mappings {
  /** E.164 of a LID. */
  phoneOfLid(lid: string): string | null;
  /** `…@lid` of an E.164 number. */
  lidOfPhone(phone: string): string | null;
}

/** The linked account itself. */
export interface Self {
  /** E.164. */
  phone: string | null;
  lid: string | null;
}

const mappingSchema = v.pipe(v.string(), v.regex(/^\d+$/));

/** One end of a pair, as it is stored; null where there is none. */
export function storedEnd(json: string | undefined): string | null {
  if (json === undefined) return null;
  const parsed = v.safeParse(mappingSchema, JSON.parse(json));
  return parsed.success ? parsed.output : null;
}

/** Reads the mapping store of Baileys: `<number>` → LID, `<lid>_reverse` → number (`lib/Signal/lid-mapping.js`). */
export function storedMappings(read: (id: string) => string | undefined): Mappings {
  const value = (id: string | null) => (id === null ? null : storedEnd(read(id)));
  return {
    phoneOfLid(lid) {
      const user = userOf(lid);
      const phone = value(user && `${user}_reverse`);
      // A number that is another's by now is no longer this one's, though it was once.
      const current = value(phone);
      return phone && (current === null || current === user) ? `+${phone}` : null;
    },
    lidOfPhone(phone) {
      const number = phone.replace(/\D/g, "");
      const lid = value(number);
      // Who has another number by now is not to be found under the old one, which may be somebody else's.
      const current = lid && value(`${lid}_reverse`);
      return lid && (!current || phoneKey(current) === phoneKey(number)) ? `${lid}@lid` : null;
    },
  };
}

/**
 * Who wrote, from the JIDs of a stanza (either may be the number or the LID) and from what is known already. Device
 * parts are no part of an identity.
 */
export function senderOf(
  jids: (string | null | undefined)[],
  mappings: Mappings,
  names: { name: string | null; username: string | null } = { name: null, username: null },
): Sender {
  let phone = jids.map(phoneOf).find((found) => found !== null) ?? null;
  let lid = jids.map(lidOf).find((found) => found !== null) ?? null;
  if (phone === null && lid !== null) phone = mappings.phoneOfLid(lid);
  if (lid === null && phone !== null) lid = mappings.lidOfPhone(phone);
  return { phone, userId: null, lid, ...names };
}

/** Whether a JID is the linked account, by number or LID. */
export function isSelf(jid: string | null | undefined, self: Self): boolean {
  const phone = phoneOf(jid);
  if (phone !== null) return phone === self.phone;
  const lid = lidOf(jid);
  return lid !== null && lid === self.lid;
}

/** Whether two senders are known to be one person. */
export function isSameSender(one: Sender, other: Sender): boolean {
  return (
    (one.phone !== null && one.phone === other.phone) || (one.lid !== null && one.lid === other.lid)
  );
}

/** Whether two JIDs name the same chat: a person may be addressed by number or LID, by each of the devices. */
export function isSameChat(one: string, other: string, self: Self, mappings: Mappings): boolean {
  if (one === other || (isSelf(one, self) && isSelf(other, self))) return true;
  return isSameSender(senderOf([one], mappings), senderOf([other], mappings));
}

/** The LID to write to a person by; null where none is known. A number that is not the LID's any more counts for more. */
export function lidToWrite(
  { phone, lid }: Pick<Sender, "phone" | "lid">,
  mappings: Mappings,
): string | null {
  if (phone === null) return lid;
  const current = mappings.lidOfPhone(phone);
  if (current !== null || lid === null) return current;
  const owner = mappings.phoneOfLid(lid);
  return owner === null || phoneKey(owner) === phoneKey(phone) ? lid : null;
}

/** The pairs in what was just stored, by either end, each once. */
export function learntPairs(stored: Record<string, string>): { phone: string; lid: string }[] {
  const pairs = Object.entries(stored).map(([id, value]) => {
    const [, lid] = /^(\d+)_reverse$/.exec(id) ?? [];
    return lid
      ? { phone: `+${value}`, lid: `${lid}@lid` }
      : { phone: `+${id}`, lid: `${value}@lid` };
  });
  return [...new Map(pairs.map((pair) => [pair.phone + pair.lid, pair])).values()];
}
