import {
  DEFAULT_CONNECTION_CONFIG,
  type LIDMapping,
  type SignalKeyStoreWithTransaction,
  type SocketConfig,
  jidDecode,
  jidEncode,
} from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { type GroupCommit, isPassing } from "./group-commit.ts";
import { type Self, storedEnd } from "./identity.ts";
import type { IncomingStanzas } from "./incoming-stanzas.ts";
import type { Journal, StanzaAttributes } from "./journal.ts";
import { jsonOf } from "./key-store.ts";
import type { KeyTransactions } from "./key-transactions.ts";
import { keepNewestPairs } from "./lid-pairs.ts";
import { addressOf, kindOf } from "./jid.ts";
import { within } from "./patience.ts";
import { isSigned } from "./signature.ts";
import { hasOpenSessionWith } from "./stored-session.ts";

/** A number's LID is asked of the server for this long, and a number without one is not asked again for a while. */
const LOOK_UP_MS = 5_000;
const NO_LID_MS = 10 * 60_000;
/** After a phone said that it could not read us, its new session is taken even where one seems fine. */
const RESET_WINDOW_MS = 60_000;

const MAPPINGS = "lid-mapping";

type MakeSignalRepository = SocketConfig["makeSignalRepository"];
type LookUp = NonNullable<Parameters<MakeSignalRepository>[2]>;

export interface SignalParts {
  transactions: KeyTransactions;
  commit: GroupCommit;
  journal: Journal;
  incoming: IncomingStanzas;
  clock: Clock;
  self: () => Self;
  /** A stanza was decrypted and is on disk. */
  onReceived: () => void;
  /** A stanza cannot be decrypted. Its sender is asked to send it again, and may be gone. */
  onUnreadable: (stanza: StanzaAttributes) => void;
}

export interface CarefulRepository {
  make: MakeSignalRepository;
  /** A device asked for a message again: its next key bundle replaces the session. */
  allowReset(jid: string): void;
}

/**
 * Baileys' Signal repository with six changes: all ratchets under one mutex ({@link KeyTransactions}); each
 * plaintext kept in the write that moved its ratchet; a working session not replaced by a key bundle that was fetched
 * only because a cache ran out (`messages-send.js:208`); a server that does not answer about a LID cannot hold the
 * mutex; the signature of a key bundle is checked; and of LIDs and numbers the newest pair counts.
 */
export function carefulRepository(parts: SignalParts): CarefulRepository {
  const { transactions, commit, journal, incoming, clock, self, onReceived, onUnreadable } = parts;
  /** Plaintexts that are not on disk yet, by the part they came in. */
  const fresh = new Map<string, Uint8Array>();
  const resets = new BoundedCache<true>({ clock, most: 1000, ttlMs: RESET_WINDOW_MS });

  const make: MakeSignalRepository = (auth, logger, lookUp) => {
    if (!hasTransactions(auth.keys))
      throw new Error("Baileys gave a key store without transactions");
    transactions.takeOver(auth.keys);
    const bounded = lookUp && boundedLookUp(lookUp, clock);
    const inner = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, bounded);
    keepNewestPairs(inner.lidMapping, self, storedIn(commit), (changes) =>
      transactions.set({ [MAPPINGS]: changes }),
    );

    const journaled = async (
      ciphertext: Uint8Array,
      label: string,
      decrypt: () => Promise<Uint8Array>,
    ): Promise<Uint8Array> => {
      const part = incoming.partOf(ciphertext);
      if (!part) return decrypt();
      const known = fresh.get(part.part) ?? commit.reading(() => journal.plaintextOf(part.part));
      if (known) return known;
      const plaintext = await transactions.transaction(async () => {
        const read = await decrypt().catch((error: unknown) => {
          if (!isPassing(error)) onUnreadable(part.attributes);
          throw error;
        });
        const now = clock.now();
        transactions.alongside(() => journal.put(part, read, now));
        return read;
      }, label);
      fresh.set(part.part, plaintext);
      const forget = () => void fresh.delete(part.part);
      commit.afterwards(() => {
        forget();
        journal.open.add(part, plaintext);
        onReceived();
      }, forget);
      return plaintext;
    };

    return {
      ...inner,
      decryptMessage: (options) =>
        journaled(options.ciphertext, options.jid, () => inner.decryptMessage(options)),
      decryptGroupMessage: (options) =>
        journaled(options.msg, options.group, () => inner.decryptGroupMessage(options)),
      injectE2ESession: (options) =>
        transactions.transaction(async () => {
          const address = inner.jidToSignalProtocolAddress(options.jid);
          if (!resets.get(address)) {
            const { [address]: stored } = await auth.keys.get("session", [address]);
            if (hasOpenSessionWith(stored, options.session.identityKey)) return;
          }
          // libsignal skips this check for key bundles (`curve.js:141`, isInit).
          const { identityKey, signedPreKey } = options.session;
          if (!isSigned(identityKey, signedPreKey.publicKey, signedPreKey.signature)) {
            throw new Error("the signature of a key bundle is wrong");
          }
          await inner.injectE2ESession(options);
        }, options.jid),
    };
  };

  return {
    make,
    allowReset: (jid) => {
      for (const named of [jid, underLid(jid, storedIn(commit))]) {
        const address = named && addressOf(named);
        if (address) resets.set(address, true);
      }
    },
  };
}

/** A device that is named by its number, under the LID by which Baileys asks the server for its keys; null for none. */
function underLid(jid: string, read: ReturnType<typeof storedIn>): string | null {
  const decoded = kindOf(jid) === "phone" ? jidDecode(jid) : undefined;
  const lid = decoded && read(decoded.user);
  if (!lid) return null;
  return jidEncode(lid, decoded.server === "hosted" ? "hosted.lid" : "lid", decoded.device);
}

function storedIn(commit: GroupCommit) {
  return (id: string) => {
    const held = commit.get(MAPPINGS, id);
    return storedEnd(held === undefined ? undefined : jsonOf(held));
  };
}

function hasTransactions(keys: object): keys is SignalKeyStoreWithTransaction {
  return "transaction" in keys && typeof keys.transaction === "function";
}

/** Asks the server with a deadline, and not twice in a row about a number that has no LID. */
function boundedLookUp(lookUp: LookUp, clock: Clock): LookUp {
  const without = new BoundedCache<true>({ clock, most: 5000, ttlMs: NO_LID_MS });
  return async (jids) => {
    const asked = jids.filter((jid) => !without.get(jid));
    if (asked.length === 0) return [];
    const answer: LIDMapping[] | undefined = await within(clock, LOOK_UP_MS, lookUp(asked)).catch(
      () => undefined,
    );
    if (!answer) return undefined;
    const found = new Set(answer.map(({ pn }) => pn));
    for (const jid of asked) if (!found.has(jid)) without.set(jid, true);
    return answer;
  };
}
