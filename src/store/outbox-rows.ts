import type { DeliveryContent, DeliveryState, SendFailure } from "../channels/message.ts";
import type { Backlog } from "./backlog.ts";
import type { ChatId, StoredDelivery } from "./contract.ts";
import type { Database } from "./database.ts";
import { withEarlierId } from "./earlier-ids.ts";

export const PENDING = 0;
export const SENDING = 1;
export const SENT = 2;
export const FAILED = 3;
const states = ["pending", "sending", "sent", "failed"] as const;
/** The account that a row of the outbox is sent from. */
export const itsSource = "(SELECT source FROM chats WHERE id = outbox.chat)";

export interface OutboxRow {
  seq: number;
  id: string;
  chat: ChatId;
  state: number;
  content: string;
  attempts: number;
  unanswered: number;
  next_at: number;
  platform_id: string | null;
  /** See `earlier-ids.ts`. */
  earlier_platform_id: string | null;
  status: DeliveryState | null;
  code: string | null;
  hint: string | null;
  created_at: number;
  updated_at: number;
}

/** The rows of the outbox, as those read and move them who know what moves a delivery. */
export class OutboxRows {
  constructor(
    readonly database: Database,
    readonly backlog: Backlog,
    /** The chat that one stands for today: what is settled keeps the chat it had. */
    readonly currentChat: (chat: ChatId) => ChatId,
  ) {}

  get(id: string): OutboxRow | null {
    return this.newest("id = +?", id);
  }

  newest(where: string, ...values: (string | number)[]): OutboxRow | null {
    const row = this.database
      .sql(`SELECT * FROM outbox WHERE ${where} ORDER BY seq DESC LIMIT 1`)
      .get(...values);
    return row ? (row as unknown as OutboxRow) : null;
  }

  /** The row with the chat that it belongs to today. */
  current(row: OutboxRow): OutboxRow {
    return { ...row, chat: this.currentChat(row.chat) };
  }

  /** Carries on the count where this delivery begins to wait, or ends. */
  moves(row: OutboxRow, waits: boolean): void {
    if (isOpen(row) !== waits) this.backlog.count(waits ? 1 : -1, row.chat, row.content);
  }

  /** Back to `pending`. `earlierId` is what the platform called the try before. */
  again(
    row: OutboxRow,
    earlierId: string | null,
    nextAt: number,
    failure: SendFailure | null,
    now: number,
  ): void {
    this.moves(row, true);
    this.database
      .sql(
        `UPDATE outbox SET state = 0, chat = ?, next_at = ?, platform_id = NULL,
         earlier_platform_id = ?, status = NULL, code = ?, hint = ?, updated_at = ?
         WHERE id = ?`,
      )
      .run(
        row.chat,
        nextAt,
        withEarlierId(row.earlier_platform_id, earlierId),
        failure?.code ?? null,
        failure?.hint ?? null,
        now,
        row.id,
      );
  }
}

export function isOpen(row: OutboxRow): boolean {
  return row.state === PENDING || row.state === SENDING;
}

export function toDelivery(row: OutboxRow): StoredDelivery {
  return {
    id: row.id,
    chat: row.chat,
    state: states[row.state] ?? "failed",
    content: JSON.parse(row.content) as DeliveryContent,
    attempts: row.attempts,
    unanswered: row.unanswered,
    nextAt: row.next_at,
    platformId: row.platform_id,
    status: row.status,
    code: row.code,
    hint: row.hint,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
