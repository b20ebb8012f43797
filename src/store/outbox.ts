import type {
  DeliveryContent,
  DeliveryState,
  SendFailure,
  StatusUpdate,
} from "../channels/message.ts";
import type {
  AcceptOutcome,
  AcceptRules,
  ChatId,
  Ending,
  NewDelivery,
  StoredDelivery,
} from "./contract.ts";
import type { Backlog } from "./backlog.ts";
import type { Database } from "./database.ts";
import { earlierIds, withEarlierId } from "./earlier-ids.ts";
import { EarlyStatuses, progress } from "./early-statuses.ts";

const PENDING = 0;
const SENDING = 1;
const SENT = 2;
const FAILED = 3;
/** Its account speaks as another number now. */
export const accountChanged: SendFailure = {
  retry: "no",
  afterMs: null,
  code: "account_changed",
  hint: "Another number was linked before this was sent: `revka redeliver` sends it from that one.",
};
const states = ["pending", "sending", "sent", "failed"] as const;
/** The account that a row of the outbox is sent from. */
export const itsSource = "(SELECT source FROM chats WHERE id = outbox.chat)";

interface OutboxRow {
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

/** Outbound pieces from the end of their turn to the platform's last word on them. */
export class Outbox {
  readonly #early = new EarlyStatuses();

  constructor(
    readonly database: Database,
    readonly backlog: Backlog,
    /** The chat that one stands for today: what is settled keeps the chat it had. */
    readonly currentChat: (chat: ChatId) => ChatId,
  ) {}

  /** With `sending`, the first of them is marked as by {@link markSending}. */
  add(
    chat: ChatId,
    turnId: string | null,
    deliveries: NewDelivery[],
    now: number,
    sending = false,
  ): void {
    for (const [index, delivery] of deliveries.entries()) {
      const content = JSON.stringify(delivery.content);
      const tries = sending && index === 0 ? 1 : 0;
      this.database
        .sql(
          `INSERT INTO outbox (id, chat, turn_id, state, attempts, content, created_at, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(delivery.id, chat, turnId, tries === 0 ? PENDING : SENDING, tries, content, now, now);
      this.backlog.count(1, chat, content);
    }
  }

  hasOpen(chat: ChatId): boolean {
    const open = "SELECT 1 FROM outbox WHERE chat = +? AND state < 2 LIMIT 1";
    return this.database.sql(open).get(chat) !== undefined;
  }

  /** Carries on the count where this delivery begins to wait, or ends. */
  #moves(row: OutboxRow, waits: boolean): void {
    if (isOpen(row) !== waits) this.backlog.count(waits ? 1 : -1, row.chat, row.content);
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
    const row = this.#row(id);
    return row ? toDelivery(this.#current(row)) : null;
  }

  #row(id: string): OutboxRow | null {
    return this.#newest("id = +?", id);
  }

  #newest(where: string, ...values: (string | number)[]): OutboxRow | null {
    const row = this.database
      .sql(`SELECT * FROM outbox WHERE ${where} ORDER BY seq DESC LIMIT 1`)
      .get(...values);
    return row ? (row as unknown as OutboxRow) : null;
  }

  /** The row with the chat that it belongs to today. */
  #current(row: OutboxRow): OutboxRow {
    return { ...row, chat: this.currentChat(row.chat) };
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
    const early = platformId === null ? undefined : this.#early.of(source, platformId);
    const moved = early && this.applyStatus(source, early, now, {});
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
    const row = this.#row(id);
    if (!row || !isOpen(row)) return false;
    this.#moves(row, false);
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
    const row = this.#row(id);
    if (row?.state !== FAILED) return false;
    this.#again(this.#current(row), row.platform_id, 0, null, now);
    this.database.sql("UPDATE outbox SET attempts = 0, unanswered = 0 WHERE id = ?").run(id);
    return true;
  }

  /** Back to `pending`. `earlierId` is what the platform called the try before. */
  #again(
    row: OutboxRow,
    earlierId: string | null,
    nextAt: number,
    failure: SendFailure | null,
    now: number,
  ): void {
    this.#moves(row, true);
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

  /**
   * Takes the platform's word on something that this account sent. Answers what moved: a delivery that was open and is
   * now settled, or one that failed afterwards (with why): for good, or to be tried again as `rules` say.
   */
  applyStatus(
    source: number,
    status: StatusUpdate,
    now: number,
    rules: Pick<AcceptRules, "pauseAfter">,
  ): AcceptOutcome["moved"][number] | null {
    const found = this.#newest(
      `${status.deliveryId ? "id" : "platform_id"} = +? AND ${itsSource} = +?`,
      status.deliveryId || status.platformId,
      source,
    );
    if (!found) {
      if (status.deliveryId === null) this.#early.note(source, status);
      return null;
    }
    // A late word about an earlier try of a delivery that was sent anew says nothing of the new one.
    if (found.platform_id !== null && found.platform_id !== status.platformId) return null;
    // But what has arrived after all, and waits, is not sent anew.
    const spares = found.state === PENDING && progress[status.state] > progress.failed;
    if (earlierIds(found.earlier_platform_id).includes(status.platformId) && !spares) return null;
    if (found.state === PENDING && status.state === "failed") return null;
    if (found.status && progress[status.state] <= progress[found.status]) return null;
    if (status.state === "failed") {
      return this.#failedLater(this.#current(found), status, now, rules);
    }
    if (found.state === SENT && found.platform_id === status.platformId) {
      // Most statuses: to name what does not change would touch its indexes.
      this.database
        .sql("UPDATE outbox SET status = ?, updated_at = ? WHERE seq = ?")
        .run(status.state, now, found.seq);
      return null;
    }
    this.#moves(found, false);
    this.database
      .sql(
        `UPDATE outbox SET state = ?, platform_id = ?, status = ?, code = NULL, hint = NULL, updated_at = ? WHERE id = ?`,
      )
      .run(SENT, status.platformId, status.state, now, found.id);
    if (!isOpen(found)) return null;
    return { chat: this.currentChat(found.chat), delivery: found.id, failure: null };
  }

  #failedLater(
    found: OutboxRow,
    status: StatusUpdate,
    now: number,
    rules: Pick<AcceptRules, "pauseAfter">,
  ): AcceptOutcome["moved"][number] {
    const failure = status.failure ?? {
      retry: "no",
      afterMs: null,
      code: "failed",
      hint: "The platform reported a failure without saying why.",
    };
    const pause = rules.pauseAfter?.(failure, found.attempts) ?? null;
    if (pause === null) {
      this.#moves(found, false);
      this.database
        .sql(
          "UPDATE outbox SET state = ?, platform_id = ?, status = ?, code = ?, hint = ?, updated_at = ? WHERE id = ?",
        )
        .run(FAILED, status.platformId, status.state, failure.code, failure.hint, now, found.id);
    } else {
      this.#again(found, status.platformId, now + pause, failure, now);
    }
    return { chat: found.chat, delivery: found.id, failure };
  }

  failed(limit: number): StoredDelivery[] {
    const rows = this.database
      .sql("SELECT * FROM outbox WHERE state = 3 ORDER BY seq DESC LIMIT +?")
      .all(limit);
    return rows.map((row) => toDelivery(this.#current(row as unknown as OutboxRow)));
  }

  counts(): { open: number; oldestOpenAt: number | null; failed: number } {
    const open = this.database
      .sql("SELECT count(*) AS n FROM outbox INDEXED BY outbox_open WHERE state < 2")
      .get() as { n: number };
    // Over the few that are open: without the hint SQLite walks past everything that is settled.
    const oldest = this.database
      .sql(
        `SELECT created_at AS at FROM outbox WHERE seq =
         (SELECT min(seq) FROM outbox INDEXED BY outbox_open WHERE state < 2)`,
      )
      .get() as { at: number } | undefined;
    const failed = this.database.sql("SELECT count(*) AS n FROM outbox WHERE state = 3").get() as {
      n: number;
    };
    return { open: open.n, oldestOpenAt: oldest?.at ?? null, failed: failed.n };
  }
}

function isOpen(row: OutboxRow): boolean {
  return row.state === PENDING || row.state === SENDING;
}

function toDelivery(row: OutboxRow): StoredDelivery {
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
