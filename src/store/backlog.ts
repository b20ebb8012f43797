import type { AcceptRules, ChatId } from "./contract.ts";
import type { Database } from "./database.ts";

/** How much waits to be sent, so that it can be bounded. */
export class Backlog {
  /** Counted once and then carried on; null after a rollback. */
  #counted: { deliveries: number; bytes: number } | null = null;

  constructor(readonly database: Database) {}

  /** Deliveries that are not final, and the bytes of what they say. */
  get size(): Readonly<{ deliveries: number; bytes: number }> {
    return (this.#counted ??= this.database
      .sql(
        `SELECT count(*) AS deliveries, ifnull(sum(octet_length(content)), 0) AS bytes
         FROM outbox INDEXED BY outbox_open WHERE state < 2`,
      )
      .get() as { deliveries: number; bytes: number });
  }

  full(rules: Pick<AcceptRules, "maxPendingMessages" | "maxPendingBytes">): boolean {
    const { deliveries, bytes } = this.size;
    return deliveries >= rules.maxPendingMessages || bytes > rules.maxPendingBytes;
  }

  /** Deliveries of one chat that are not final; 0 while there are fewer than `fromTotal` of all chats. */
  ofChat(chat: ChatId, fromTotal: number): number {
    if (this.size.deliveries < fromTotal) return 0;
    const row = this.database
      .sql("SELECT count(*) AS n FROM outbox INDEXED BY outbox_open WHERE chat = ? AND state < 2")
      .get(chat) as { n: number };
    return row.n;
  }

  /** Forgets what is counted: after a rollback it may never have been. */
  forget(): void {
    this.#counted = null;
  }

  /** A delivery with this content begins to wait (1), or does so no more (-1). */
  count(change: 1 | -1, content: string | null): void {
    if (this.#counted === null) return;
    this.#counted.deliveries += change;
    this.#counted.bytes += change * Buffer.byteLength(content ?? "");
  }
}
