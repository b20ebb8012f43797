import {
  type BinaryNode,
  type LIDMapping,
  type SignalRepositoryWithLIDStore,
  decodeMessageNode,
} from "@whiskeysockets/baileys";
import { numberForms } from "../../config/numbers.ts";
import { type Mappings, type Self, isSelf } from "./identity.ts";
import { lidOf, phoneJid, phoneOf, userOf } from "./jid.ts";
import { placeholderOf } from "./placeholder.ts";
import type { Session } from "./session.ts";

type LidStore = SignalRepositoryWithLIDStore["lidMapping"];
/** By the names of Baileys: `<number>` → LID, `<lid>_reverse` → number; null takes one away. */
export type PairChanges = Record<string, string | null>;

/**
 * Makes the newest pair of a LID and a number count from both ends. Baileys (`lib/Signal/lid-mapping.js`) keeps what else
 * either of them was paired with, and takes a pair for known where the number has this LID, whatever the LID has. Nobody is
 * paired with the account itself: of what the account wrote to somebody, Baileys takes the one's address with the other's.
 */
export function keepNewestPairs(
  store: LidStore,
  self: () => Self,
  read: (id: string) => string | null,
  write: (changes: PairChanges) => Promise<void>,
): void {
  const storePairs = store.storeLIDPNMappings.bind(store);
  store.storeLIDPNMappings = async (told) => {
    const pairs = told.filter((pair) => isOfOne(pair, self()));
    const changes = corrections(pairs, read);
    if (Object.keys(changes).length > 0) {
      await write(changes);
      // What it has read before.
      store.close();
    }
    await storePairs(newest(pairs));
  };
}

/** Of those that contradict each other the last. */
function newest(pairs: LIDMapping[]): LIDMapping[] {
  const [numbers, lids] = [new Map<unknown, LIDMapping>(), new Map<unknown, LIDMapping>()];
  for (const pair of pairs) {
    numbers.set(userOf(pair.pn), pair);
    lids.set(userOf(pair.lid), pair);
  }
  return pairs.filter(
    (pair) => numbers.get(userOf(pair.pn)) === pair && lids.get(userOf(pair.lid)) === pair,
  );
}

/** False for a pair of the account and somebody else. */
function isOfOne({ pn, lid }: LIDMapping, self: Self): boolean {
  return self.lid === null || isSelf(pn, self) === isSelf(lid, self);
}

/** What is stored and contradicts these pairs, as it is to be; nothing where all agree or are new. */
function corrections(pairs: LIDMapping[], read: (id: string) => string | null): PairChanges {
  const changes: PairChanges = {};
  const valueOf = (id: string) => (id in changes ? (changes[id] ?? null) : read(id));
  for (const { pn, lid } of pairs) {
    const [number, user] = [phoneOf(pn) && userOf(pn), lidOf(lid) && userOf(lid)];
    if (!number || !user) continue;
    const formerNumber = valueOf(`${user}_reverse`);
    const isOtherNumber = formerNumber !== null && !isSameNumber(formerNumber, number);
    const others = numberForms(number).filter((form) => (valueOf(form) ?? user) !== user);
    if (others.length === 0 && !isOtherNumber) continue;
    for (const form of others) {
      const former = `${valueOf(form)}_reverse`;
      if (isSameNumber(valueOf(former) ?? "", number)) changes[former] = null;
      changes[form] = null;
    }
    for (const form of isOtherNumber ? numberForms(formerNumber) : []) {
      if (valueOf(form) === user) changes[form] = null;
    }
    changes[number] = user;
    changes[`${user}_reverse`] = number;
  }
  return changes;
}

function isSameNumber(one: string, other: string): boolean {
  return one === other || numberForms(one).includes(other.replace(/\D/g, ""));
}

/** Where a stanza has the other address of who it is of (`decode-wa-message.js`, extractAddressingContext). */
const ALIASES = ["participant", "sender", "peer_recipient", "recipient"].flatMap((whose) => [
  `${whose}_pn`,
  `${whose}_lid`,
]);

/**
 * Stores the pair that a message under a number names, where Baileys would not: it asks no further once it knows any
 * number of the LID (`messages-recv.js`, handleMessage). Answers the message to go on with: without the other address
 * where that is not so any more by what came since, for WhatsApp brings again what was refused, or whose acknowledgement
 * was lost.
 */
export async function learnPair(
  store: LidStore,
  node: BinaryNode,
  session: Pick<Session, "self" | "mappings" | "journal">,
): Promise<BinaryNode> {
  const pair = pairIn(node, session.self);
  if (!pair) return node;
  if (isOld(pair, node, session)) {
    const attrs = Object.entries(node.attrs).filter(([name]) => !ALIASES.includes(name));
    return { ...node, attrs: Object.fromEntries(attrs) };
  }
  if (pair.byNumber && (await store.getPNForLID(pair.lid))) await store.storeLIDPNMappings([pair]);
  return node;
}

function isOld(
  pair: LIDMapping,
  node: BinaryNode,
  { self, mappings, journal }: Pick<Session, "self" | "mappings" | "journal">,
): boolean {
  if (!contradicts(pair, mappings) || placeholderOf(node, self)) return false;
  return journal.originOf(node.attrs.id ?? "") !== undefined;
}

function contradicts({ pn, lid }: LIDMapping, mappings: Mappings): boolean {
  const [phone, user] = [phoneOf(pn) ?? "", lidOf(lid) ?? ""];
  const number = mappings.phoneOfLid(user);
  return (
    (mappings.lidOfPhone(phone) ?? user) !== user ||
    (number !== null && !isSameNumber(number, phone))
  );
}

function pairIn(
  node: BinaryNode,
  { phone, lid }: Self,
): (LIDMapping & { byNumber: boolean }) | null {
  if (!ALIASES.some((name) => node.attrs[name])) return null;
  try {
    const { key } = decodeMessageNode(node, phone ? phoneJid(phone) : "", lid ?? "").fullMessage;
    const one = key.participant ?? key.remoteJid ?? "";
    const other = key.participantAlt ?? key.remoteJidAlt ?? "";
    if (phoneOf(one) && lidOf(other)) return { pn: one, lid: other, byNumber: true };
    return lidOf(one) && phoneOf(other) ? { pn: other, lid: one, byNumber: false } : null;
  } catch {
    return null;
  }
}
