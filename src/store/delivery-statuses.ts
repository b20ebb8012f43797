import type { StatusUpdate } from "../channels/message.ts";
import type { AcceptOutcome, AcceptRules } from "./contract.ts";
import { earlierIds } from "./earlier-ids.ts";
import { EarlyStatuses, progress } from "./early-statuses.ts";
import {
  FAILED,
  isOpen,
  itsSource,
  type OutboxRow,
  type OutboxRows,
  PENDING,
  SENT,
} from "./outbox-rows.ts";

/** What the platform says of deliveries beside its answer to the send: before it, or long after. */
export class DeliveryStatuses {
  readonly #early = new EarlyStatuses();

  constructor(private readonly rows: OutboxRows) {}

  /** What was said of a message before its answer told that it is this delivery's. */
  early(source: number, platformId: string): StatusUpdate | undefined {
    return this.#early.of(source, platformId);
  }

  /**
   * Takes the platform's word on something that this account sent. Answers what moved: a delivery that was open and is
   * now settled, or one that failed afterwards (with why): for good, or to be tried again as `rules` say.
   */
  apply(
    source: number,
    status: StatusUpdate,
    now: number,
    rules: Pick<AcceptRules, "pauseAfter">,
  ): AcceptOutcome["moved"][number] | null {
    const found = this.rows.newest(
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
      return this.#failedLater(this.rows.current(found), status, now, rules);
    }
    if (found.state === SENT && found.platform_id === status.platformId) {
      // Most statuses: to name what does not change would touch its indexes.
      this.rows.database
        .sql("UPDATE outbox SET status = ?, updated_at = ? WHERE seq = ?")
        .run(status.state, now, found.seq);
      return null;
    }
    this.rows.moves(found, false);
    this.rows.database
      .sql(
        `UPDATE outbox SET state = ?, platform_id = ?, status = ?, code = NULL, hint = NULL, updated_at = ? WHERE id = ?`,
      )
      .run(SENT, status.platformId, status.state, now, found.id);
    if (!isOpen(found)) return null;
    return { chat: this.rows.currentChat(found.chat), delivery: found.id, failure: null };
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
      this.rows.moves(found, false);
      this.rows.database
        .sql(
          "UPDATE outbox SET state = ?, platform_id = ?, status = ?, code = ?, hint = ?, updated_at = ? WHERE id = ?",
        )
        .run(FAILED, status.platformId, status.state, failure.code, failure.hint, now, found.id);
    } else {
      this.rows.again(found, status.platformId, now + pause, failure, now);
    }
    return { chat: found.chat, delivery: found.id, failure };
  }
}
