import { sourceKey, type RetentionLimits, type Source } from "./contract.ts";
import type { Database } from "./database.ts";
import { EXPIRED, type Inbox } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";
import { writtenAt } from "./platform-time.ts";

// By the clock: a message that says to be of years ahead, and waits first, must not keep all behind it.
const oldestMessage = `SELECT received_at AS at FROM inbox WHERE id =
  (SELECT min(id) FROM inbox INDEXED BY inbox_waiting WHERE state = 0)`;
const oldestDelivery = `SELECT created_at AS at FROM outbox WHERE seq =
  (SELECT min(seq) FROM outbox INDEXED BY outbox_open WHERE state < 2)`;

/**
 * What waits for a person who never comes: messages of chats that stay paused, and of accounts that no longer run, and
 * whatever could not be sent for so long. Content has its time there, too.
 */
export class Expiry {
  constructor(
    readonly database: Database,
    readonly inbox: Inbox,
    readonly outbox: Outbox,
  ) {}

  /** Takes away a few rows that are past their time. Runs inside a transaction. */
  step(limits: RetentionLimits): { messages: number; deliveries: number } {
    const messages = this.#messages(limits);
    const deliveries = this.#deliveries(limits);
    if (messages > 0) this.inbox.forget();
    if (deliveries > 0) this.outbox.backlog.forget();
    this.inbox.expireEarly(limits);
    return { messages, deliveries };
  }

  /** The key of a message stays, so that it is not taken for a new one. */
  #messages({ contentBefore, running, rows }: RetentionLimits): number {
    if (!this.#goesBack(oldestMessage, contentBefore)) return 0;
    const paused = this.database
      .sql(
        `UPDATE inbox SET state = ${EXPIRED}, message = NULL WHERE id IN
         (SELECT id FROM inbox INDEXED BY inbox_waiting WHERE state = 0 AND ${writtenAt("received_at")} < ?
          AND chat IN (SELECT id FROM chats WHERE paused = 1) LIMIT +?)`,
      )
      .run(contentBefore, rows);
    let taken = Number(paused.changes);
    for (const source of this.#gone(running)) {
      const gone = this.database
        .sql(
          `UPDATE inbox SET state = ${EXPIRED}, message = NULL WHERE id IN
           (SELECT id FROM inbox INDEXED BY inbox_waiting WHERE state = 0 AND source = ? AND ${writtenAt("received_at")} < ? LIMIT +?)`,
        )
        .run(source, contentBefore, rows);
      taken += Number(gone.changes);
    }
    return taken;
  }

  #gone(running: Source[]): number[] {
    const keys = new Set(running.map(sourceKey));
    const sources = this.database.sql("SELECT id, channel, account, backend FROM sources").all();
    return (sources as unknown as (Source & { id: number })[])
      .filter((source) => !keys.has(sourceKey(source)))
      .map(({ id }) => id);
  }

  #goesBack(oldest: string, before: number): boolean {
    return Number(this.database.sql(oldest).get()?.["at"] ?? Infinity) < before;
  }

  #deliveries({ contentBefore, rows }: RetentionLimits): number {
    if (!this.#goesBack(oldestDelivery, contentBefore)) return 0;
    const result = this.database
      .sql(
        `DELETE FROM outbox WHERE seq IN
         (SELECT seq FROM outbox INDEXED BY outbox_open WHERE state < 2 AND ${writtenAt("updated_at")} < ? LIMIT +?)`,
      )
      .run(contentBefore, rows);
    return Number(result.changes);
  }
}
