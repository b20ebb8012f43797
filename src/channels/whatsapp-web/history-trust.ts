import type { SignalDataTypeMap, SignalKeyStoreWithTransaction } from "@whiskeysockets/baileys";
import {
  buildMergedTcTokenIndexWrite,
  isTcTokenExpired,
} from "@whiskeysockets/baileys/lib/Utils/tc-token-utils.js";
import { numberForms, phoneKey } from "../../config/numbers.ts";
import type { HistoryFindings, LidPair, TrustToken } from "./history-walk.ts";
import type { Mappings } from "./identity.ts";
import { phoneJid, userOf } from "./jid.ts";

/** Written at once: neither messages nor their events wait long. */
const BATCH = 200;
/** Of a clock that is wrong: a token from the future would never give way to a newer one. */
const DAY_SECS = 86_400;

type StoredToken = SignalDataTypeMap["tctoken"];

export interface Learnt {
  lids: number;
  tokens: number;
}

/** The pairs, each once, but for those that contradict each other. Pure. */
export function soundPairs(pairs: LidPair[]): LidPair[] {
  const keyed = pairs.map((pair) => ({ ...pair, number: phoneKey(pair.phone) ?? pair.phone }));
  const lids = valuesBy(keyed, "number", "lid");
  const numbers = valuesBy(keyed, "lid", "number");
  const sound = keyed.filter(
    ({ number, lid }) => lids.get(number)?.size === 1 && numbers.get(lid)?.size === 1,
  );
  return [...new Map(sound.map(({ phone, lid }) => [lid, { phone, lid }])).values()];
}

/**
 * The pairs that say of number and LID what the session does not know of either: what WhatsApp says with a message is
 * newer, and who is taken for another would be answered in their place. Pure.
 */
export function newPairs(pairs: LidPair[], mappings: Mappings): LidPair[] {
  return pairs.filter(
    ({ phone, lid }) =>
      mappings.phoneOfLid(lid) === null &&
      numberForms(phone).every((form) => mappings.lidOfPhone(`+${form}`) === null),
  );
}

/** What to store of a person's token: nothing where the session has one that is as new. Pure. */
export function newerToken(
  found: TrustToken,
  known: StoredToken | undefined,
): StoredToken | undefined {
  if (Number(known?.timestamp ?? 0) >= found.timestamp) return undefined;
  const given = Math.max(found.senderTimestamp, known?.senderTimestamp ?? 0);
  return {
    token: found.token,
    timestamp: String(found.timestamp),
    ...(given > 0 ? { senderTimestamp: given } : {}),
  };
}

/**
 * Keeps what a chunk of the history says where Baileys keeps what comes of these (`process-message.js`): LIDs where its
 * store of them reads what it does not know, and tokens by the LID where one is known, with the index by which they are
 * thrown away once they have run out. `rest` is awaited between two batches.
 */
export async function keepFindings(
  { pairs, tokens }: HistoryFindings,
  keys: SignalKeyStoreWithTransaction,
  mappings: Mappings,
  now: number,
  rest: () => Promise<void>,
): Promise<Learnt> {
  const learnt = { lids: 0, tokens: 0 };
  for (const batch of batches(soundPairs(pairs))) {
    learnt.lids += await keepPairs(batch, keys, mappings);
    await rest();
  }
  const latest = now / 1000 + DAY_SECS;
  const valid = tokens.filter(
    ({ timestamp }) => timestamp <= latest && !isTcTokenExpired(timestamp),
  );
  for (const batch of batches(valid)) {
    learnt.tokens += await keepTokens(batch, keys, mappings);
    await rest();
  }
  return learnt;
}

/** Nothing comes between the look and the write: mappings are staged at once. */
async function keepPairs(
  pairs: LidPair[],
  keys: SignalKeyStoreWithTransaction,
  mappings: Mappings,
): Promise<number> {
  const unknown = newPairs(pairs, mappings);
  const stored = unknown.flatMap(({ phone, lid }): [string, string][] => {
    const [number, user] = [phone.slice(1), userOf(lid) ?? ""];
    return [
      [number, user],
      [`${user}_reverse`, number],
    ];
  });
  await keys.set({ "lid-mapping": Object.fromEntries(stored) });
  return unknown.length;
}

/** In one transaction, so that none that comes meanwhile is lost. */
function keepTokens(
  tokens: TrustToken[],
  keys: SignalKeyStoreWithTransaction,
  mappings: Mappings,
): Promise<number> {
  return keys.transaction(async () => {
    const named = tokens.map((token) => ({ token, id: storageJid(token, mappings) }));
    const ids = named.map(({ id }) => id);
    const known = await keys.get("tctoken", ids);
    const newer: Record<string, StoredToken> = {};
    for (const { token, id } of named) {
      const stored = newerToken(token, newer[id] ?? known[id]);
      if (stored) newer[id] = stored;
    }
    const stored = Object.keys(newer);
    if (stored.length === 0) return 0;
    const index = await buildMergedTcTokenIndexWrite(keys, stored);
    await keys.set({ tctoken: { ...newer, ...index } });
    return stored.length;
  }, "history");
}

function storageJid({ phone, lid }: TrustToken, mappings: Mappings): string {
  if (phone === null) return lid ?? "";
  return mappings.lidOfPhone(phone) ?? phoneJid(phone);
}

function valuesBy<K extends string>(
  pairs: Record<K, string>[],
  by: K,
  of: K,
): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const pair of pairs) {
    const known = values.get(pair[by]) ?? new Set();
    values.set(pair[by], known.add(pair[of]));
  }
  return values;
}

function batches<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, index) =>
    all.slice(index * BATCH, (index + 1) * BATCH),
  );
}
