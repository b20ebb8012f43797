import type { ChatId } from "./contract.ts";
import type { Database } from "./database.ts";

/**
 * The messages that wait for a turn, by chat: counted and found here, so that the file needs no index by chat, in
 * which each message would dirty a page of its own.
 */
export class Waiting {
  #bytes = 0;
  #messages = 0;
  /** Rows of each chat that has any, oldest first. */
  readonly #chats = new Map<ChatId, number[]>();
  /** What is held here may not be what is in the file. */
  #stale = true;

  constructor(readonly database: Database) {}

  get messages(): number {
    this.#refresh();
    return this.#messages;
  }

  get bytes(): number {
    this.#refresh();
    return this.#bytes;
  }

  /** Forgets what is held, after a rollback: it is read again when it is needed. */
  forget(): void {
    this.#stale = true;
  }

  /** Rows of a chat, oldest first. */
  of(chat: ChatId): readonly number[] {
    this.#refresh();
    return this.#chats.get(chat) ?? [];
  }

  /** Chats with any, that with the oldest first. */
  chats(): ChatId[] {
    this.#refresh();
    return [...this.#chats]
      .map(([chat, [oldest = 0]]) => ({ chat, oldest }))
      .sort((a, b) => a.oldest - b.oldest)
      .map(({ chat }) => chat);
  }

  /** Notes a new row. Where what is held is stale, the next reading finds it. */
  add(chat: ChatId, id: number, bytes: number): void {
    const rows = this.#chats.get(chat);
    if (rows) rows.push(id);
    else this.#chats.set(chat, [id]);
    this.#messages++;
    this.#bytes += bytes;
  }

  /** Notes that a row waits no more. */
  remove(chat: ChatId, id: number, bytes: number): void {
    const rows = this.#chats.get(chat);
    const at = rows?.indexOf(id) ?? -1;
    if (!rows || at < 0) return;
    rows.splice(at, 1);
    if (rows.length === 0) this.#chats.delete(chat);
    this.#messages--;
    this.#bytes -= bytes;
  }

  /** What waits in one chat waits in another from now on. Runs inside a transaction. */
  move(old: ChatId, chat: ChatId): void {
    const moved = this.of(old);
    if (moved.length === 0) return;
    for (const id of moved) {
      this.database.sql("UPDATE inbox SET chat = ? WHERE id = ?").run(chat, id);
    }
    this.#chats.delete(old);
    this.#chats.set(
      chat,
      [...this.of(chat), ...moved].sort((a, b) => a - b),
    );
  }

  #refresh(): void {
    if (!this.#stale) return;
    this.#chats.clear();
    this.#messages = 0;
    this.#bytes = 0;
    const rows = this.database
      .sql("SELECT id, chat, bytes FROM inbox INDEXED BY inbox_waiting WHERE state = 0 ORDER BY id")
      .all() as { id: number; chat: ChatId; bytes: number }[];
    this.#stale = false;
    for (const { id, chat, bytes } of rows) this.add(chat, id, bytes);
  }
}
