import type { InboundEvent, Sender } from "../channels/message.ts";
import type { RetentionLimits } from "./contract.ts";
import type { Database } from "./database.ts";
import { keyOf } from "./early-statuses.ts";

export type Amendment = Extract<InboundEvent, { kind: "edit" | "revoke" }>;

/** Kept in all, the newest. */
const MOST = 500;
/** Of one sender: nobody fills it alone. */
const MOST_OF_SENDER = 50;
/** Senders of one message: whoever shares a group may name it, and keeps out nobody else. */
const MOST_SENDERS = 8;
/**
 * Of longer texts the beginning is kept, UTF-16 units. It is nearer to what its writer wants to have said than the
 * message as it was, or an edit before it.
 */
const LONGEST = 16_384;

/** What is known of a row without its text. */
export interface Noted {
  id: number;
  source: number;
  target: string;
  /** JSON of the identities that were known of them. */
  sender: string;
  /** 1: a delete. */
  revoked: number;
  /** When the edit was made, Unix seconds. */
  at: number | null;
}

/**
 * Edits and deletes of messages that nobody knows yet: platforms promise no order, and a message that was asked to come
 * again is overtaken by what was said of it meanwhile. All calls run inside a transaction of `database`.
 */
export class EarlyAmendments {
  /** All rows by their message; null: to be read from the file. */
  #noted: Map<string, Noted[]> | null = null;

  constructor(readonly database: Database) {}

  /** Forgets what is at hand: after a rollback it may never have been. */
  forget(): void {
    this.#noted = null;
  }

  /** The sender as far as known: it is compared with whoever turns out to have written the message. */
  note(source: number, event: Amendment, now: number): void {
    const text = event.kind === "edit" ? beginningOf(event.text) : null;
    const { phone, userId, lid } = event.sender;
    const noted = {
      source,
      target: event.targetId,
      sender: JSON.stringify({ phone, userId, lid }),
      revoked: text === null ? 1 : 0,
      at: event.kind === "edit" ? (event.at ?? null) : null,
    };
    const gone = goneFor(
      [...this.#all().values()].flat().sort((a, b) => a.id - b.id),
      noted,
    );
    if (!gone) return;
    for (const row of gone) this.#remove(row);
    const { lastInsertRowid } = this.database
      .sql(
        "INSERT INTO early_amendments (source, platform_id, sender, received_at, made_at, text) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(source, noted.target, noted.sender, now, noted.at, text);
    this.#add({ ...noted, id: Number(lastInsertRowid) });
  }

  /** Answers what each sender said of this message, and keeps it no longer. */
  take(source: number, targetId: string): Amendment[] {
    return [...(this.#all().get(keyOf(source, targetId)) ?? [])].map((row) => {
      const { text } = this.database
        .sql("SELECT text FROM early_amendments WHERE id = ?")
        .get(row.id) as { text: string | null };
      this.#remove(row);
      const sender = senderOf(row);
      if (text === null) return { kind: "revoke", targetId, sender };
      return { kind: "edit", targetId, text, sender, ...(row.at === null ? {} : { at: row.at }) };
    });
  }

  /** Forgets what these senders said of this message. */
  drop(source: number, targetId: string, by: (sender: Sender) => boolean): void {
    for (const row of this.#all().get(keyOf(source, targetId)) ?? []) {
      if (by(senderOf(row))) this.#remove(row);
    }
  }

  /** Texts go with all content, deletes with the keys of the messages. */
  expire({ contentBefore, keysBefore }: RetentionLimits): void {
    const { changes } = this.database
      .sql("DELETE FROM early_amendments WHERE received_at < iif(text IS NULL, ?, ?)")
      .run(keysBefore, contentBefore);
    if (changes > 0) this.forget();
  }

  #all(): Map<string, Noted[]> {
    if (this.#noted) return this.#noted;
    this.#noted = new Map();
    const rows = this.database
      .sql(
        "SELECT id, source, platform_id AS target, sender, text IS NULL AS revoked, made_at AS at FROM early_amendments",
      )
      .all();
    for (const row of rows) this.#add(row as unknown as Noted);
    return this.#noted;
  }

  #add(row: Noted): void {
    const key = keyOf(row.source, row.target);
    this.#all().set(key, [...(this.#all().get(key) ?? []), row]);
  }

  #remove(row: Noted): void {
    const left = this.#all()
      .get(keyOf(row.source, row.target))
      ?.filter(({ id }) => id !== row.id);
    if (left?.length) this.#all().set(keyOf(row.source, row.target), left);
    else this.#all().delete(keyOf(row.source, row.target));
    this.database.sql("DELETE FROM early_amendments WHERE id = ?").run(row.id);
  }
}

function beginningOf(text: string): string {
  if (text.length <= LONGEST) return text;
  // Not with half a character at its end.
  return `${text.slice(0, LONGEST - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

function senderOf({ sender }: Noted): Sender {
  return { username: null, name: null, ...JSON.parse(sender) };
}

/** What of the rows (oldest first) must go for a new one; null where the new one is not to be kept. Pure. */
export function goneFor(rows: readonly Noted[], added: Omit<Noted, "id">): Noted[] | null {
  const ofMessage = rows.filter(
    (row) => keyOf(row.source, row.target) === keyOf(added.source, added.target),
  );
  const before = ofMessage.find(({ sender }) => sender === added.sender);
  if (before) {
    // What was taken back stays so.
    return before.revoked || isOlder(added, before.at) ? null : [before];
  }
  if (ofMessage.length >= MOST_SENDERS) return null;
  const ofSender = rows.filter(({ sender }) => sender === added.sender);
  if (ofSender.length >= MOST_OF_SENDER) return ofSender.slice(0, 1);
  return rows.length >= MOST ? rows.slice(0, 1) : [];
}

/** Whether an edit was made before one that is known already. */
export function isOlder({ at }: { at?: number | null }, known: number | null | undefined): boolean {
  return at != null && at < (known ?? 0);
}
