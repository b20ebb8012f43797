import { lidOf, phoneOf } from "./jid.ts";
import { type Field, ProtobufWalk, type Walking } from "./protobuf-walk.ts";

/** Chats of one chunk that are taken note of, and numbers with a LID: more than phones send. */
const MOST_FOUND = 20_000;

/** Numbers of protobuf fields (`WAProto`: HistorySync, Conversation, PhoneNumberToLIDMapping). */
const CONVERSATION = 2;
const MAPPING = 15;
/** Not in `WAProto`: `nctSalt` of whatsmeow's `WAWebProtobufsHistorySync.proto`. */
const SALT = 19;
const chat = { id: 1, token: 21, timestamp: 22, senderTimestamp: 28, phone: 39, lid: 42 };
const mapping = { phone: 1, lid: 2 };

/** E.164 and `…@lid`. */
export interface LidPair {
  phone: string;
  lid: string;
}

/** What shows that a person trusts the account. */
export interface TrustToken {
  /** Whose: either may be null. */
  phone: string | null;
  lid: string | null;
  token: Buffer;
  /** Seconds since 1970. */
  timestamp: number;
  /** When the account last gave that person a token of its own; 0 where that is not said. */
  senderTimestamp: number;
}

export interface HistoryFindings {
  pairs: LidPair[];
  tokens: TrustToken[];
  /** For {@link FirstContact}; null where nothing is said of it. */
  salt: Buffer | null;
}

/** A message of a few short values. */
interface Values {
  text: Map<number, Buffer>;
  numbers: Map<number, number>;
}

/**
 * Reads a chunk of the phone's history (`HistorySync`), inflated, as it comes: which LID is whose, and who trusts the
 * account, and the salt for first contacts. Messages, names and all else are passed over unread. Pure. Throws `MalformedProtobuf`.
 */
export class HistoryWalk {
  private readonly found: HistoryFindings = { pairs: [], tokens: [], salt: null };
  private readonly walk = new ProtobufWalk((field) => this.visit(field));

  push(piece: Uint8Array): void {
    this.walk.push(piece);
  }

  finish(): HistoryFindings {
    this.walk.finish();
    return this.found;
  }

  private *visit(field: Field): Walking<void> {
    if (!field.delimited) return;
    if (field.number === MAPPING) {
      const { text } = yield* this.values(field, mapping);
      this.pair(jidIn(text, mapping.phone), jidIn(text, mapping.lid));
    } else if (field.number === CONVERSATION) {
      this.conversation(yield* this.values(field, chat));
    } else if (field.number === SALT) {
      const salt = yield* this.walk.content(field);
      if (salt?.length) this.found.salt = salt;
    }
  }

  private *values(field: Field, wanted: Record<string, number>): Walking<Values> {
    const { walk } = this;
    const numbers = new Set(Object.values(wanted));
    const values: Values = { text: new Map(), numbers: new Map() };
    yield* walk.within(field, function* keep(inner): Walking<void> {
      if (!numbers.has(inner.number)) return;
      if (!inner.delimited) return void values.numbers.set(inner.number, inner.value);
      const content = yield* walk.content(inner);
      if (content) values.text.set(inner.number, content);
    });
    return values;
  }

  private conversation({ text, numbers }: Values): void {
    const id = jidIn(text, chat.id);
    const [phone, lid] = [phoneOf(id), lidOf(id)];
    // Of a group, or of something else that is nobody.
    if (phone === null && lid === null) return;
    this.pair(phone ? id : jidIn(text, chat.phone), lid ? id : jidIn(text, chat.lid));
    const token = text.get(chat.token);
    const timestamp = numbers.get(chat.timestamp) ?? 0;
    if (!token?.length || timestamp === 0 || this.found.tokens.length >= MOST_FOUND) return;
    const senderTimestamp = numbers.get(chat.senderTimestamp) ?? 0;
    this.found.tokens.push({ phone, lid, token, timestamp, senderTimestamp });
  }

  private pair(phoneJid: string, lidJid: string): void {
    const [phone, lid] = [phoneOf(phoneJid), lidOf(lidJid)];
    if (phone === null || lid === null || !/^\d+@/.test(lid)) return;
    if (this.found.pairs.length < MOST_FOUND) this.found.pairs.push({ phone, lid });
  }
}

function jidIn(text: Values["text"], field: number): string {
  return text.get(field)?.toString("utf8") ?? "";
}
