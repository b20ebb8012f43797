import { createHash } from "node:crypto";
import * as v from "valibot";
import { Newest } from "../../runtime/newest.ts";
import { OpenStanzas } from "./open-stanzas.ts";
import type { SessionDatabase } from "./session-database.ts";

const DAY_MS = 86_400_000;
/** As long as a message is known by its id, so that a redelivery is recognised. */
const KEEP_MS = 8 * DAY_MS;
/** A stanza whose other parts never came is given up. */
const INCOMPLETE_MS = 14 * DAY_MS;
/** A message without content that the phone never sent again is given up. */
const PLACEHOLDER_MS = 7 * DAY_MS;
const MOST_ROWS = 200_000;
/** Of messages without content as many are kept at least, and twice as many at most: anybody can send what nobody can read. */
const MOST_PLACEHOLDERS = 1000;
const PREVIEW_CHARACTERS = 200;
/** Messages whose attributes are at hand: one is answered soon after it came. */
const MOST_AT_HAND = 1000;
/** The state of a row whose content is still to come; 0 is one to be handed over, 1 a finished one. */
const PLACEHOLDER = 2;
/** One padding byte around an empty message: what a redelivery of a finished message decrypts to. */
const EMPTY_PLAINTEXT = Uint8Array.of(1);

const attributesSchema = v.record(v.string(), v.string());
export type StanzaAttributes = v.InferOutput<typeof attributesSchema>;

/** One ciphertext of a stanza on its way in. */
export interface StanzaPart {
  /** SHA-256 of the ciphertext. */
  part: string;
  /** SHA-256 over all ciphertexts of the stanza: tells a redelivery from a retry under the same id. */
  stanza: string;
  /** How many ciphertexts the stanza has. */
  parts: number;
  attributes: StanzaAttributes;
}

/** A stanza whose parts are all decrypted and which nobody has taken over yet. */
export interface PendingStanza {
  stanza: string;
  attributes: StanzaAttributes;
  /** Padded protobuf `Message`s, in the order they came. */
  plaintexts: Uint8Array[];
}

/** A message that came without its content, which the phone is asked for. */
export interface Placeholder {
  part: string;
  attributes: StanzaAttributes;
}

/** What is still known of a finished message, to answer, quote or react to it. */
export interface Remembered {
  attributes: StanzaAttributes;
  preview: string | null;
}

export function digestOf(...contents: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(content);
  return hash.digest("hex");
}

/**
 * Every stanza, decrypted, in the same write as the ratchet that decrypted it. A ciphertext can be read only once; what
 * crashed between that and the inbox would be lost. An entry stays open until the inbox has the message; closed, it
 * still answers a redelivery, which would otherwise fail with "Key used already".
 */
export class Journal {
  private readonly statements;
  readonly open = new OpenStanzas();
  /** Beginnings of stanzas whose end is not written yet. */
  private readonly previews = new Map<string, string | null>();
  /** Attributes by message, where its first stanza was written not long ago. */
  private readonly atHand = new Newest<StanzaAttributes>(MOST_AT_HAND);
  /** Ids of messages without content; of some that have arrived as well. */
  private placeholderIds = new Set<string>();
  /** Their rows, and those written again or arrived since they were counted: one id can come from many chats. */
  private placeholderRows = 0;

  constructor(private readonly database: SessionDatabase) {
    const { sql } = database;
    this.statements = {
      insert: sql.prepare(
        "INSERT OR IGNORE INTO received (part, stanza, message_id, parts, attributes, plaintext, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ),
      known: sql.prepare("SELECT plaintext FROM received WHERE part = ?"),
      open: sql.prepare(
        `SELECT stanza, part, attributes, plaintext FROM received WHERE done = 0 AND stanza IN
         (SELECT stanza FROM received WHERE done = 0
          GROUP BY stanza HAVING count(*) >= max(parts) ORDER BY min(number) LIMIT +?)
         ORDER BY number`,
      ),
      waits: sql.prepare("SELECT 1 FROM received WHERE done = 0 LIMIT 1"),
      close: sql.prepare(
        "UPDATE received SET done = 1, preview = ?, plaintext = iif(?, plaintext, NULL) WHERE done = 0 AND stanza = ?",
      ),
      message: sql.prepare(
        "SELECT part, stanza, attributes, preview FROM received WHERE message_id = +? ORDER BY number LIMIT 1",
      ),
      carried: sql.prepare("SELECT 1 FROM received WHERE message_id = ? LIMIT 1"),
      placeholder: sql.prepare(
        `INSERT OR IGNORE INTO received (part, stanza, message_id, parts, attributes, at, done) VALUES (?, ?, ?, 1, ?, ?, ${PLACEHOLDER})`,
      ),
      placeholderIds: sql.prepare(`SELECT message_id FROM received WHERE done = ${PLACEHOLDER}`),
      overflow: sql.prepare(
        `DELETE FROM received WHERE done = ${PLACEHOLDER} AND number <=
         (SELECT number FROM received WHERE done = ${PLACEHOLDER} ORDER BY number DESC LIMIT 1 OFFSET ?)`,
      ),
      placeholders: sql.prepare(
        `SELECT part, attributes FROM received WHERE done = ${PLACEHOLDER} AND (?1 IS NULL OR message_id = ?1) ORDER BY number`,
      ),
      fill: sql.prepare(
        `UPDATE received SET plaintext = ?, at = ?, done = 0 WHERE done = ${PLACEHOLDER} AND part = ?`,
      ),
      drop: sql.prepare(`DELETE FROM received WHERE done = ${PLACEHOLDER} AND part = ?`),
      // `+`: by age, as nearly all rows are finished ones.
      expire: sql.prepare(
        `DELETE FROM received WHERE (+done = 1 AND at < ?) OR (done = ${PLACEHOLDER} AND at < ?) OR (done = 0 AND at < ? AND stanza IN
         (SELECT stanza FROM received WHERE done = 0 GROUP BY stanza HAVING count(*) < max(parts)))`,
      ),
      shrink: sql.prepare(
        "DELETE FROM received WHERE done = 1 AND number <= (SELECT max(number) FROM received) - ?",
      ),
    };
    this.countPlaceholders();
  }

  private countPlaceholders(): void {
    const waiting = this.statements.placeholderIds.all();
    this.placeholderIds = new Set(waiting.map((row) => String(row.message_id)));
    this.placeholderRows = waiting.length;
  }

  /** A message came without its content. Call it in a transaction, before its acknowledgement leaves. */
  putPlaceholder({ part, attributes }: Placeholder, now: number): void {
    const id = attributes.id ?? "";
    this.placeholderIds.add(id);
    const sealed = this.seal(part, "attributes", JSON.stringify(attributes));
    this.statements.placeholder.run(part, part, id, sealed, now);
    if (++this.placeholderRows <= 2 * MOST_PLACEHOLDERS) return;
    this.statements.overflow.run(MOST_PLACEHOLDERS);
    this.countPlaceholders();
  }

  /** Messages whose content is still to come, oldest first; all, or those with this id. */
  placeholders(id: string | null = null): Placeholder[] {
    if (id !== null && !this.placeholderIds.has(id)) return [];
    return this.statements.placeholders.all(id).flatMap((row) => {
      const part = String(row.part);
      try {
        return [{ part, attributes: this.attributesOf(part, row.attributes) }];
      } catch {
        // Changed by the disk: nobody knows any more whose it is.
        return [];
      }
    });
  }

  /** The content has come: from here on it is a stanza like any other. Call it in a transaction. */
  fill(part: string, plaintext: Uint8Array, now: number): void {
    this.statements.fill.run(this.seal(part, "plaintext", plaintext), now, part);
  }

  /** The message has arrived by itself. Call it in a transaction. */
  dropPlaceholder(part: string): void {
    this.statements.drop.run(part);
  }

  /** Call it in the transaction that commits the ratchet. */
  put({ part, stanza, parts, attributes }: StanzaPart, plaintext: Uint8Array, now: number): void {
    const id = attributes.id ?? "";
    if (!this.statements.carried.get(id)) this.atHand.set(id, attributes);
    this.statements.insert.run(
      part,
      stanza,
      id,
      parts,
      this.seal(part, "attributes", JSON.stringify(attributes)),
      this.seal(part, "plaintext", plaintext),
      now,
    );
  }

  /** The plaintext of a ciphertext read before; of a finished one, an empty message. */
  plaintextOf(part: string): Uint8Array | undefined {
    const row = this.statements.known.get(part);
    if (!row) return undefined;
    return this.unseal(part, "plaintext", row.plaintext) ?? EMPTY_PLAINTEXT;
  }

  /** Complete stanzas nobody has taken over, oldest first. */
  pending(limit: number): PendingStanza[] {
    const known = this.open.pending(limit);
    if (known) return known;
    const stored = this.stored(limit);
    if (stored.length === 0 && !this.statements.waits.get()) this.open.none();
    return stored;
  }

  private stored(limit: number): PendingStanza[] {
    const stanzas = new Map<string, PendingStanza>();
    for (const row of this.statements.open.all(limit)) {
      const [stanza, part] = [String(row.stanza), String(row.part)];
      const known = stanzas.get(stanza);
      const pending = known ?? { stanza, attributes: {}, plaintexts: [] };
      try {
        const plaintext = this.unseal(part, "plaintext", row.plaintext);
        pending.attributes = this.attributesOf(part, row.attributes);
        if (plaintext) pending.plaintexts.push(plaintext);
      } catch {
        // Changed by the disk: without content it is unreadable, and must not hold up all others for ever.
      }
      if (!known) stanzas.set(stanza, pending);
    }
    return [...stanzas.values()];
  }

  /**
   * The inbox has it: the text goes, its beginning stays for quotations, and is known at once. Answers the write, for a
   * transaction; where that fails, {@link OpenStanzas.forget}. `keepPlaintext` where a redelivery must be able to hand
   * out a sender key again.
   */
  closing(stanza: string, preview: string | null, keepPlaintext: boolean): () => void {
    const short = preview === null ? null : preview.slice(0, PREVIEW_CHARACTERS);
    const sealed = short === null ? null : this.seal(stanza, "preview", short);
    this.previews.set(stanza, short);
    this.open.remove(stanza);

    return () => {
      this.statements.close.run(sealed, keepPlaintext ? 1 : 0, stanza);
      this.previews.delete(stanza);
    };
  }

  /** The first stanza that carried this message id: the one that the inbox has. */
  remember(messageId: string): Remembered | undefined {
    const row = this.statements.message.get(messageId);
    if (!row) return undefined;
    const stanza = String(row.stanza);
    const preview = this.previews.get(stanza) ?? this.unseal(stanza, "preview", row.preview);
    return {
      attributes: this.attributesOf(String(row.part), row.attributes),
      preview: preview?.toString() ?? null,
    };
  }

  /** Of {@link remember} the attributes alone, which are mostly at hand. */
  originOf(messageId: string): StanzaAttributes | undefined {
    return this.atHand.get(messageId) ?? this.remember(messageId)?.attributes;
  }

  prune(now: number): void {
    this.statements.expire.run(now - KEEP_MS, now - PLACEHOLDER_MS, now - INCOMPLETE_MS);
    this.statements.shrink.run(MOST_ROWS);
  }

  private attributesOf(part: string, sealed: unknown): StanzaAttributes {
    const json = this.unseal(part, "attributes", sealed);
    return json ? v.parse(attributesSchema, JSON.parse(json.toString("utf8"))) : {};
  }

  private seal(row: string, column: string, value: string | Uint8Array): Buffer {
    const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    return this.database.seal.close(`received:${column}:${row}`, bytes);
  }

  private unseal(row: string, column: string, sealed: unknown): Buffer | undefined {
    if (!(sealed instanceof Uint8Array)) return undefined;
    return this.database.seal.open(`received:${column}:${row}`, sealed);
  }
}
