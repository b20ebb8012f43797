import type { SendFailure } from "../channels/message.ts";
import type { ChatId, Ending, NewDelivery, StoredDelivery } from "./contract.ts";
import type { Backlog } from "./backlog.ts";
import type { Database } from "./database.ts";
import { DeliveryStatuses } from "./delivery-statuses.ts";
import { earlierIds } from "./earlier-ids.ts";
import {
  FAILED,
  isOpen,
  itsSource,
  type OutboxRow,
  OutboxRows,
  PENDING,
  SENDING,
  SENT,
  toDelivery,
} from "./outbox-rows.ts";
import { writtenAt } from "./platform-time.ts";

/** Its account speaks as another number now. */
export const accountChanged: SendFailure = {
  retry: "no",
  afterMs: null,
  code: "account_changed",
  hint: "Another number was linked before this was sent: `revka redeliver` sends it from that one.",
};

/** Outbound pieces from the end of their turn to the platform's last word on them. */
export class Outbox {
  readonly statuses: DeliveryStatuses;
  readonly #rows: OutboxRows;

  constructor(
    readonly database: Database,
    readonly backlog: Backlog,
    currentChat: (chat: ChatId) => ChatId,
  ) {
    this.#rows = new OutboxRows(database, backlog, currentChat);
    this.statuses = new DeliveryStatuses(this.#rows);
  }

  /** With `sending`, the first of them is marked as by {@link markSending}. `atLeast`: as of `platform-time.ts`. */
  add(
    chat: ChatId,
    turnId: string | null,
    deliveries: NewDelivery[],
    now: number,
    { sending = false, atLeast = null }: { sending?: boolean; atLeast?: number | null } = {},
  ): void {
    for (const [index, delivery] of deliveries.entries()) {
      const content = JSON.stringify(delivery.content);
      const tries = sending && index === 0 ? 1 : 0;
      this.database
        .sql(
          `INSERT INTO outbox (id, chat, turn_id, state, attempts, content, created_at, updated_at, at_least)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)`,
        )
        .run(
          delivery.id,
          chat,
          turnId,
          tries === 0 ? PENDING : SENDING,
          tries,
          content,
          now,
          atLeast,
        );
      this.backlog.count(1, chat, content);
    }
  }

  hasOpen(chat: ChatId): boolean {
    const open = "SELECT 1 FROM outbox WHERE chat = +? AND state < 2 LIMIT 1";
    return this.database.sql(open).get(chat) !== undefined;
  }

  chatsWithOpen(): ChatId[] {
    const rows = this.database
      .sql("SELECT chat FROM outbox WHERE state < 2 GROUP BY chat ORDER BY min(seq)")
      .all() as { chat: ChatId }[];
    return rows.map((row) => row.chat);
  }

  open(chat: ChatId): StoredDelivery | null {
    const row = this.database
      .sql("SELECT * FROM outbox WHERE chat = +? AND state < 2 ORDER BY seq LIMIT 1")
      .get(chat);
    return row ? toDelivery(row as unknown as OutboxRow) : null;
  }

  openAfter(chat: ChatId, id: string): StoredDelivery | null {
    // Mostly there is this one alone.
    if (this.backlog.ofChat(chat) < 2) return null;
    const row = this.database
      .sql(
        `SELECT *, seq > (SELECT seq FROM outbox WHERE id = ?1) AS later FROM outbox
         WHERE chat = +?2 AND state < 2 AND id <> ?1 ORDER BY seq LIMIT 1`,
      )
      .get(id, chat);
    return row?.["later"] === 1 ? toDelivery(row as unknown as OutboxRow) : null;
  }

  get(id: string): StoredDelivery | null {
    const row = this.#rows.get(id);
    return row ? toDelivery(this.#rows.current(row)) : null;
  }

  /** Not where another one of its chat goes before it: a status may have put that back, or a joined chat brought it. */
  markSending(id: string, now: number): boolean {
    const marked = this.database
      .sql(
        `UPDATE outbox SET state = 1, attempts = attempts + 1, updated_at = ? WHERE id = ? AND state < 2
         AND NOT EXISTS (SELECT 1 FROM outbox AS other INDEXED BY outbox_open
                         WHERE other.chat = outbox.chat AND other.state < 2 AND other.seq < outbox.seq)`,
      )
      .run(now, id);
    return Number(marked.changes) > 0;
  }

  /** A status may have said `sent`, or even `failed`, before the answer came: it stands, and so does a new try. */
  markSent(id: string, platformId: string | null, now: number): Ending | null {
    const marked = this.database
      .sql(
        `UPDATE outbox SET state = ?, platform_id = ?, code = NULL, hint = NULL, updated_at = ?
         WHERE id = ? AND state = 1 RETURNING chat, content, ${itsSource} AS source`,
      )
      .get(SENT, platformId, now, id) as
      { chat: ChatId; content: string; source: number } | undefined;
    if (!marked) return null;
    const { chat, content, source } = marked;
    this.backlog.count(-1, chat, content);
    const early = platformId === null ? undefined : this.statuses.early(source, platformId);
    const moved = early && this.statuses.apply(source, early, now, {});
    return { failure: moved?.failure ?? null };
  }

  /** What the account was refused for (`hold`), or could not leave (`unsent`), is no try of the delivery. */
  markWaiting(
    id: string,
    state: "pending" | "sending",
    nextAt: number,
    failure: SendFailure,
    now: number,
  ): void {
    this.database
      .sql(
        `UPDATE outbox SET state = ?, attempts = attempts - ?, unanswered = unanswered + ?, next_at = ?, code = ?,
         hint = ?, updated_at = ? WHERE id = ? AND state < 2`,
      )
      .run(
        state === "pending" ? PENDING : SENDING,
        failure.retry === "hold" || failure.retry === "unsent" ? 1 : 0,
        failure.retry === "ambiguous" ? 1 : 0,
        nextAt,
        failure.code,
        failure.hint,
        now,
        id,
      );
  }

  markNotSent(id: string, now: number): void {
    this.database
      .sql(
        "UPDATE outbox SET state = 0, unanswered = 0, next_at = 0, updated_at = ? WHERE id = ? AND state = 1",
      )
      .run(now, id);
  }

  knowsSend(platformId: string, delivery: string): boolean {
    const earlier = this.database.sql("SELECT earlier_platform_id AS ids FROM outbox WHERE id = ?");
    const { ids } = earlier.get(delivery) as { ids: string | null };
    const known = this.database.sql("SELECT 1 FROM outbox WHERE platform_id = ?");
    return earlierIds(ids).includes(platformId) || known.get(platformId) !== undefined;
  }

  /** A status may have said before the answer came that an earlier try arrived, or that it failed: it stands. */
  markFailed(id: string, failure: SendFailure, now: number): boolean {
    const row = this.#rows.get(id);
    if (!row || !isOpen(row)) return false;
    this.#rows.moves(row, false);
    this.database
      .sql("UPDATE outbox SET state = ?, code = ?, hint = ?, updated_at = ? WHERE id = ?")
      .run(FAILED, failure.code, failure.hint, now, id);
    return true;
  }

  /** What waits to be sent from this account fails: it speaks as another now. Answers how many. */
  abandon(source: number, now: number): number {
    const failed = this.database
      .sql(
        `UPDATE outbox SET state = 3, code = ?, hint = ?, updated_at = ?
         WHERE seq IN (SELECT seq FROM outbox INDEXED BY outbox_open
                       WHERE state < 2 AND chat IN (SELECT id FROM chats WHERE source = ?))`,
      )
      .run(accountChanged.code, accountChanged.hint, now, source);
    this.backlog.forget();
    return Number(failed.changes);
  }

  redeliver(id: string, now: number): boolean {
    const row = this.#rows.get(id);
    if (row?.state !== FAILED) return false;
    this.#rows.again(this.#rows.current(row), row.platform_id, 0, null, now);
    this.database.sql("UPDATE outbox SET attempts = 0, unanswered = 0 WHERE id = ?").run(id);
    return true;
  }

  failed(limit: number): StoredDelivery[] {
    const rows = this.database
      .sql("SELECT * FROM outbox WHERE state = 3 ORDER BY seq DESC LIMIT +?")
      .all(limit);
    return rows.map((row) => toDelivery(this.#rows.current(row as unknown as OutboxRow)));
  }

  counts(): { open: number; oldestOpenAt: number | null; failed: number } {
    const open = this.database
      .sql("SELECT count(*) AS n FROM outbox INDEXED BY outbox_open WHERE state < 2")
      .get() as { n: number };
    // Over the few that are open: without the hint SQLite walks past everything that is settled.
    const oldest = this.database
      .sql(
        `SELECT ${writtenAt("created_at")} AS at FROM outbox WHERE seq =
         (SELECT min(seq) FROM outbox INDEXED BY outbox_open WHERE state < 2)`,
      )
      .get() as { at: number } | undefined;
    const failed = this.database.sql("SELECT count(*) AS n FROM outbox WHERE state = 3").get() as {
      n: number;
    };
    return { open: open.n, oldestOpenAt: oldest?.at ?? null, failed: failed.n };
  }
}
