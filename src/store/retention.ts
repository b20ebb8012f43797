import type { Attachments } from "./attachments.ts";
import type { Retained, RetentionLimits } from "./contract.ts";
import type { Database } from "./database.ts";
import type { Expiry } from "./expiry.ts";

/** Takes away what is past its time, a few rows at a step, so that the event loop is never held. */
export class Retention {
  constructor(
    readonly database: Database,
    readonly attachments: Attachments,
    readonly expiry: Expiry,
  ) {}

  /** Runs inside a transaction. `more` says that another step would find something too. */
  step(limits: RetentionLimits): Retained {
    const expired = this.expiry.step(limits);
    const messages = this.#expired(
      "inbox",
      "received_at",
      "state <> 0",
      limits.keysBefore,
      limits.rows,
    );
    const deliveries = this.#expired(
      "outbox",
      "updated_at",
      "state >= 2",
      limits.contentBefore,
      limits.rows,
    );
    const entries = this.#expired("history", "at", "1", limits.contentBefore, limits.rows);
    const files = this.attachments.expire(limits.contentBefore, limits.rows);
    return {
      files,
      expired,
      more: [
        messages,
        deliveries,
        entries,
        files.length,
        expired.messages,
        expired.deliveries,
      ].some((count) => count >= limits.rows),
    };
  }

  /** Keys grow with time, so the oldest rows are the first ones; those still open are passed over. */
  #expired(table: string, column: string, closed: string, before: number, rows: number): number {
    const key = table === "outbox" ? "seq" : "id";
    const result = this.database
      .sql(
        `DELETE FROM ${table} WHERE ${key} IN
         (SELECT ${key} FROM (SELECT ${key}, ${column} AS at FROM ${table} WHERE ${closed} ORDER BY ${key} LIMIT ?)
          WHERE at < ?)`,
      )
      .run(rows, before);
    return Number(result.changes);
  }
}
