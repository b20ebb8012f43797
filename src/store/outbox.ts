import type {
  DeliveryContent,
  DeliveryState,
  SendFailure,
  StatusUpdate,
} from "../channels/message.ts";
import type { AcceptOutcome, ChatId, NewDelivery, StoredDelivery } from "./contract.ts";
import type { Database } from "./database.ts";

const PENDING = 0;
const SENDING = 1;
const SENT = 2;
const FAILED = 3;
const states = ["pending", "sending", "sent", "failed"] as const;

/** How far along each word of the platform is; a status never goes back. */
const progress: Record<DeliveryState, number> = {
  sent: 1,
  delivered: 2,
  read: 3,
  played: 4,
  failed: 5,
};

interface OutboxRow {
  id: string;
  chat: ChatId;
  state: number;
  content: string | null;
  attempts: number;
  next_at: number;
  platform_id: string | null;
  status: DeliveryState | null;
  code: string | null;
  hint: string | null;
  created_at: number;
  updated_at: number;
}

/** Outbound pieces from the end of their turn to the platform's last word on them. */
export class Outbox {
  constructor(readonly database: Database) {}

  add(chat: ChatId, turnId: string | null, deliveries: NewDelivery[], now: number): void {
    for (const delivery of deliveries) {
      this.database
        .sql(
          "INSERT INTO outbox (id, chat, turn_id, state, content, created_at, updated_at) VALUES (?, ?, ?, 0, ?, ?, ?)",
        )
        .run(delivery.id, chat, turnId, JSON.stringify(delivery.content), now, now);
    }
  }

  chatsWithOpen(): ChatId[] {
    const rows = this.database
      .sql("SELECT chat FROM outbox WHERE state < 2 GROUP BY chat ORDER BY min(seq)")
      .all() as { chat: ChatId }[];
    return rows.map((row) => row.chat);
  }

  open(chat: ChatId): StoredDelivery | null {
    const row = this.database
      .sql("SELECT * FROM outbox WHERE chat = ? AND state < 2 ORDER BY seq LIMIT 1")
      .get(chat);
    return row ? toDelivery(row as unknown as OutboxRow) : null;
  }

  get(id: string): StoredDelivery | null {
    const row = this.database.sql("SELECT * FROM outbox WHERE id = ?").get(id);
    return row ? toDelivery(row as unknown as OutboxRow) : null;
  }

  markSending(id: string, now: number): void {
    this.database
      .sql(
        "UPDATE outbox SET state = 1, attempts = attempts + 1, updated_at = ? WHERE id = ? AND state < 2",
      )
      .run(now, id);
  }

  /** A status may have said `sent`, or even `failed`, before the answer came: it stands. */
  markSent(id: string, platformId: string | null, now: number): void {
    this.database
      .sql(
        `UPDATE outbox SET state = ?, platform_id = ifnull(?, platform_id), code = NULL, hint = NULL, updated_at = ?
         WHERE id = ? AND state < 2`,
      )
      .run(SENT, platformId, now, id);
  }

  markWaiting(
    id: string,
    state: "pending" | "sending",
    nextAt: number,
    failure: SendFailure,
    now: number,
  ): void {
    this.database
      .sql(
        "UPDATE outbox SET state = ?, next_at = ?, code = ?, hint = ?, updated_at = ? WHERE id = ? AND state < 2",
      )
      .run(state === "pending" ? PENDING : SENDING, nextAt, failure.code, failure.hint, now, id);
  }

  markFailed(id: string, failure: SendFailure, now: number): void {
    this.database
      .sql(
        "UPDATE outbox SET state = ?, code = ?, hint = ?, updated_at = ? WHERE id = ? AND state < 3",
      )
      .run(FAILED, failure.code, failure.hint, now, id);
  }

  redeliver(id: string, now: number): boolean {
    const changed = this.database
      .sql(
        `UPDATE outbox SET state = 0, attempts = 0, next_at = 0, platform_id = NULL, status = NULL, code = NULL, hint = NULL,
         updated_at = ? WHERE id = ? AND state = 3`,
      )
      .run(now, id);
    return changed.changes > 0;
  }

  requeue(id: string, nextAt: number, now: number): void {
    this.database
      .sql(
        `UPDATE outbox SET state = 0, next_at = ?, platform_id = NULL, status = NULL, updated_at = ?
         WHERE id = ? AND state = 3`,
      )
      .run(nextAt, now, id);
  }

  /**
   * Takes the platform's word on something sent. Answers what moved: a delivery that was open and is now settled, or
   * one that failed afterwards (with why), so that its lane goes on.
   */
  applyStatus(status: StatusUpdate, now: number): AcceptOutcome["moved"][number] | null {
    const found = status.deliveryId
      ? this.get(status.deliveryId)
      : this.#byPlatformId(status.platformId);
    if (!found) return null;
    // A late word about an earlier try of a delivery that was sent anew says nothing of the new one.
    if (found.platformId !== null && found.platformId !== status.platformId) return null;
    if (found.platformId === null && found.state === "pending") {
      if (status.state === "failed") return null;
    }
    if (found.status && progress[status.state] <= progress[found.status]) return null;
    const wasOpen = found.state === "pending" || found.state === "sending";
    if (status.state === "failed") {
      const failure = status.failure ?? {
        retry: "no",
        afterMs: null,
        code: "failed",
        hint: "The platform reported a failure without saying why.",
      };
      this.database
        .sql(
          "UPDATE outbox SET state = ?, platform_id = ?, status = ?, code = ?, hint = ?, updated_at = ? WHERE id = ?",
        )
        .run(FAILED, status.platformId, status.state, failure.code, failure.hint, now, found.id);
      return { chat: found.chat, delivery: found.id, failure };
    }
    this.database
      .sql(
        `UPDATE outbox SET state = ?, platform_id = ?, status = ?, code = NULL, hint = NULL, updated_at = ? WHERE id = ?`,
      )
      .run(SENT, status.platformId, status.state, now, found.id);
    return wasOpen ? { chat: found.chat, delivery: found.id, failure: null } : null;
  }

  #byPlatformId(platformId: string): StoredDelivery | null {
    const row = this.database
      .sql("SELECT * FROM outbox WHERE platform_id = ? ORDER BY seq DESC LIMIT 1")
      .get(platformId);
    return row ? toDelivery(row as unknown as OutboxRow) : null;
  }

  failed(limit: number): StoredDelivery[] {
    const rows = this.database
      .sql("SELECT * FROM outbox WHERE state = 3 ORDER BY seq DESC LIMIT ?")
      .all(limit);
    return rows.map((row) => toDelivery(row as unknown as OutboxRow));
  }

  counts(): { open: number; oldestOpenAt: number | null; failed: number } {
    const open = this.database
      .sql("SELECT count(*) AS n, min(created_at) AS at FROM outbox WHERE state < 2")
      .get() as { n: number; at: number | null };
    const failed = this.database.sql("SELECT count(*) AS n FROM outbox WHERE state = 3").get() as {
      n: number;
    };
    return { open: open.n, oldestOpenAt: open.at, failed: failed.n };
  }
}

const gone: DeliveryContent = { kind: "text", text: "", quote: null };

function toDelivery(row: OutboxRow): StoredDelivery {
  return {
    id: row.id,
    chat: row.chat,
    state: states[row.state] ?? "failed",
    content: row.content === null ? gone : (JSON.parse(row.content) as DeliveryContent),
    attempts: row.attempts,
    nextAt: row.next_at,
    platformId: row.platform_id,
    status: row.status,
    code: row.code,
    hint: row.hint,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
