import type { Retained, RetentionLimits } from "./contract.ts";
import type { Database } from "./database.ts";
import type { Expiry } from "./expiry.ts";
import { writtenAt } from "./platform-time.ts";

/** Keys that a step goes over for each row that it may take away. */
const LOOKED_AT = 10;

/** What of a table is past a time; its keys grow as rows are added. */
interface Ageing {
  table: "inbox" | "outbox" | "history" | "attachments";
  key: "id" | "seq";
  /** What an expired row meets; `?` is the time, Unix ms. */
  expired: string;
  /** Columns to answer of what went. */
  returning: string;
  /** Are the rows only told of, and stay? */
  stays?: true;
}

const inbox: Ageing = {
  table: "inbox",
  key: "id",
  expired: `state <> 0 AND ${writtenAt("received_at")} < ?`,
  returning: "id AS key",
};
const outbox: Ageing = {
  table: "outbox",
  key: "seq",
  expired: `state >= 2 AND ${writtenAt("updated_at")} < ?`,
  returning: "seq AS key",
};
const history: Ageing = {
  table: "history",
  key: "id",
  expired: `${writtenAt("at")} < ?`,
  returning: "id AS key",
};
/** Does the chat of `inbox`, or the one that it was joined with, have something to be sent? Open deliveries move along. */
const sending = `EXISTS (
  WITH RECURSIVE joined (id) AS (
    SELECT inbox.chat UNION SELECT merged_into FROM chats JOIN joined USING (id) WHERE merged_into IS NOT NULL)
  SELECT 1 FROM outbox INDEXED BY outbox_open WHERE state < 2 AND chat IN joined)`;

/** A file goes with its message, however long that waits; one of an answer not before all that its chat sends has left. */
const attachments: Ageing = {
  table: "attachments",
  key: "id",
  expired: `ifnull((SELECT state <> 0 AND ${writtenAt("received_at")} < ? AND NOT ${sending}
                    FROM inbox WHERE id = attachments.message), 1)`,
  returning: "id AS key, message, path, bytes",
  // Once it is forgotten, nothing would ever remove it.
  stays: true,
};

/** Takes away what is past its time, a few rows at a step, so that the event loop is never held. */
export class Retention {
  /** How far each table has been gone through beyond its head. */
  readonly #passed = new Map<Ageing, number>();

  constructor(
    readonly database: Database,
    readonly expiry: Expiry,
  ) {}

  /** Runs inside a transaction. `more` says that another step would find something too. */
  step(limits: RetentionLimits): Retained {
    const { contentBefore, keysBefore, rows } = limits;
    const expired = this.expiry.step(limits);
    const messages = this.#take(inbox, keysBefore, rows);
    const deliveries = this.#take(outbox, contentBefore, rows);
    const entries = this.#take(history, contentBefore, rows);
    const files = this.#take(attachments, contentBefore, rows);
    return {
      files: files.map((file) => ({
        id: Number(file["key"]),
        messageId: Number(file["message"]),
        path: String(file["path"]),
        bytes: Number(file["bytes"]),
      })),
      expired,
      more: [
        messages.length,
        deliveries.length,
        entries.length,
        files.length,
        expired.messages,
        expired.deliveries,
      ].some((count) => count >= rows),
    };
  }

  /**
   * The oldest rows are the first ones. Beyond them each step looks a little further on, and in the end from the
   * beginning again: what must stay may fill the head, such as what is open, or was touched long after it was added.
   */
  #take(ageing: Ageing, before: number, rows: number): Record<string, unknown>[] {
    const head = this.#takeAfter(ageing, 0, before, rows);
    if (head.taken.length >= rows || head.upTo === null) return head.taken;
    const from = Math.max(head.upTo, this.#passed.get(ageing) ?? 0);
    const further = this.#takeAfter(ageing, from, before, rows - head.taken.length);
    this.#passed.set(ageing, further.upTo ?? 0);
    return [...head.taken, ...further.taken];
  }

  /** Takes away at most `rows` among the keys that follow `after`. Answers how far it came; null: there are none. */
  #takeAfter(
    { table, key, expired, returning, stays }: Ageing,
    after: number,
    before: number,
    rows: number,
  ): { taken: Record<string, unknown>[]; upTo: number | null } {
    const first = this.database
      .sql(`SELECT min(${key}) AS key FROM ${table} WHERE ${key} > ?`)
      .get(after)?.["key"];
    if (typeof first !== "number") return { taken: [], upTo: null };
    const last = first + rows * LOOKED_AT - 1;
    const past = `${key} BETWEEN ? AND ? AND ${expired} ORDER BY ${key} LIMIT +?`;
    const taken = this.database
      .sql(
        stays
          ? `SELECT ${returning} FROM ${table} WHERE ${past}`
          : `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${past})
             RETURNING ${returning}`,
      )
      .all(first, last, before, rows);
    if (taken.length < rows) return { taken, upTo: last };
    return { taken, upTo: Math.max(...taken.map((row) => Number(row["key"]))) };
  }
}
