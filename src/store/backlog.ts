import type { AcceptRules, ChatId } from "./contract.ts";
import type { Database } from "./database.ts";

/** Deliveries that are not final, and the bytes of what they say. */
interface Counted {
  deliveries: number;
  bytes: number;
  /** Deliveries of each chat that has any. */
  chats: Map<ChatId, number>;
}

/** How much waits to be sent, so that it can be bounded. */
export class Backlog {
  /** Counted once and then carried on; null after a rollback. */
  #counted: Counted | null = null;

  constructor(readonly database: Database) {}

  full(rules: Pick<AcceptRules, "maxPendingMessages" | "maxPendingBytes">): boolean {
    const { deliveries, bytes } = this.#now;
    return deliveries >= rules.maxPendingMessages || bytes > rules.maxPendingBytes;
  }

  /** Deliveries of one chat that are not final. */
  ofChat(chat: ChatId): number {
    return this.#now.chats.get(chat) ?? 0;
  }

  /** Forgets what is counted: after a rollback it may never have been, and what waited may be of another chat. */
  forget(): void {
    this.#counted = null;
  }

  /** A delivery of this chat with this content begins to wait (1), or does so no more (-1). */
  count(change: 1 | -1, chat: ChatId, content: string): void {
    if (this.#counted === null) return;
    const { chats } = this.#counted;
    this.#counted.deliveries += change;
    this.#counted.bytes += change * Buffer.byteLength(content);
    const open = (chats.get(chat) ?? 0) + change;
    if (open > 0) chats.set(chat, open);
    else chats.delete(chat);
  }

  get #now(): Counted {
    return (this.#counted ??= this.#count());
  }

  #count(): Counted {
    const counted: Counted = { deliveries: 0, bytes: 0, chats: new Map() };
    const rows = this.database
      .sql(
        `SELECT chat, count(*) AS deliveries, sum(octet_length(content)) AS bytes
         FROM outbox INDEXED BY outbox_open WHERE state < 2 GROUP BY chat`,
      )
      .all() as { chat: ChatId; deliveries: number; bytes: number }[];
    for (const { chat, deliveries, bytes } of rows) {
      counted.deliveries += deliveries;
      counted.bytes += bytes;
      counted.chats.set(chat, deliveries);
    }
    return counted;
  }
}
