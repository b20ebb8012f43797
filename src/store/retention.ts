import type { Attachments } from "./attachments.ts";
import type { RetentionLimits } from "./contract.ts";
import type { Database } from "./database.ts";

/** Takes away what is past its time, a few rows at a step, so that the event loop is never held. */
export class Retention {
  constructor(
    readonly database: Database,
    readonly attachments: Attachments,
  ) {}

  /** Runs inside a transaction. `more` says that another step would find something too. */
  step(limits: RetentionLimits): { files: string[]; more: boolean } {
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
      more: [messages, deliveries, entries, files.length].some((count) => count >= limits.rows),
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
