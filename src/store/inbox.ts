import type { InboundEvent, Message, Sender } from "../channels/message.ts";
import { Newest } from "../runtime/newest.ts";
import { once, onceLoaded } from "../runtime/once.ts";
import type { Amendments } from "./amendments.ts";
import type {
  AcceptOutcome,
  AcceptRules,
  ChatId,
  FinishedTurn,
  PendingMessage,
  RetentionLimits,
  Source,
} from "./contract.ts";
import type { Chats } from "./chats.ts";
import type { Database } from "./database.ts";
import { keyOf } from "./early-statuses.ts";
import { mayWrite } from "./may-write.ts";
import type { Outbox } from "./outbox.ts";
import { itsSource } from "./outbox-rows.ts";
import { atLeast, writtenAt } from "./platform-time.ts";
import type { Sources } from "./sources.ts";
import { Waiting } from "./waiting.ts";

export const PENDING = 0;
const DONE = 1;
/** Taken back by its sender before a turn took it up. */
export const REVOKED = 2;
/** Past its time before anybody took it up. */
export const EXPIRED = 3;
/** Its account speaks as another number now. */
const ABANDONED = 4;

/** Messages remembered that were kept out, though their writer may write, the latest. */
const MOST_PASSED_OVER = 1_000;

/** Messages from their arrival to the end of their turn. */
export class Inbox {
  readonly #waiting: Waiting;
  /** null until there is something to do for it. */
  #amendments: Amendments | null = null;
  #wanted = false;
  #loaded = false;
  /** Who may write, and wrote what was kept out all the same: what they say of it afterwards waits for nothing. */
  readonly #passedOver = new Newest<Sender>(MOST_PASSED_OVER);

  constructor(
    readonly database: Database,
    readonly sources: Sources,
    readonly chats: Chats,
    readonly outbox: Outbox,
  ) {
    this.#waiting = new Waiting(database);
    chats.joined = (old, chat) => {
      this.#waiting.move(old, chat);
      outbox.backlog.forget();
    };
  }

  get pendingMessages(): number {
    return this.#waiting.messages;
  }

  get pendingBytes(): number {
    return this.#waiting.bytes;
  }

  /** Forgets what is held in memory: after a rollback it may never have been. */
  forget(): void {
    this.#waiting.forget();
    this.#amendments?.forget();
  }

  /**
   * Loads what edits and deletes need, where one is among `events` or waits for its message since an earlier run. null:
   * there is nothing to wait for. Whoever comes meanwhile waits too, so that the order is kept.
   */
  loading(events: InboundEvent[]): Promise<void> | null {
    if (this.#loaded) return null;
    this.#wanted ||= events.some(isAmendment) || this.#anyEarly();
    return this.#wanted ? this.#load() : null;
  }

  /** Asked once: what this run notes is noted by what is loaded by then. */
  readonly #anyEarly = once(
    () => this.database.sql("SELECT 1 FROM early_amendments LIMIT 1").get() !== undefined,
  );

  readonly #load = onceLoaded(async () => {
    const { Amendments } = await import("./amendments.ts");
    this.#amendments = new Amendments(this.database, this.chats, this.#waiting, this.#passedOver);
    // Whoever comes before those who waited have gone on goes behind them.
    setImmediate(() => (this.#loaded = true));
  });

  /** Takes away edits and deletes whose message has not come in time. Runs inside a transaction. */
  expireEarly(limits: RetentionLimits): void {
    this.#amendments?.early.expire(limits);
  }

  /** Takes a batch in, once what {@link loading} names is there. Runs inside a transaction. */
  accept(
    source: Source,
    events: InboundEvent[],
    rules: AcceptRules,
    now: number,
  ): { outcome: AcceptOutcome; sourceId: number } {
    const sourceId = this.sources.key(source);
    const outcome: AcceptOutcome = {
      admitted: [],
      refused: [],
      duplicates: 0,
      overflow: 0,
      moved: [],
      abandoned: { messages: 0, deliveries: 0 },
      amended: 0,
    };
    // Once there was no room, none is left for what came later, or it would overtake what comes again.
    let full = false;
    for (const event of events) {
      switch (event.kind) {
        case "message":
          full = this.#acceptMessage(sourceId, event.message, rules, now, outcome, full);
          break;
        case "edit":
        case "revoke":
          outcome.amended += this.#amendments?.amend(sourceId, event, rules, now) ?? 0;
          break;
        case "reaction":
          this.#react(sourceId, event.targetId, event.emoji);
          break;
        case "status": {
          const moved = this.outbox.statuses.apply(sourceId, event.status, now, rules);
          if (moved) outcome.moved.push(moved);
          break;
        }
        case "identity":
          this.#identify(sourceId, event);
          break;
        case "account":
          if (this.sources.speaksAs(sourceId, event.number)) {
            outcome.abandoned.messages += this.#abandon(sourceId);
            outcome.abandoned.deliveries += this.outbox.abandon(sourceId, now);
          }
          break;
        case "ignored":
          break;
      }
    }
    if (outcome.admitted.length > 0) this.sources.received(sourceId, now);
    return { outcome, sourceId };
  }

  /** Answers whether the bounds of all chats together are reached. */
  #acceptMessage(
    source: number,
    message: Message,
    rules: AcceptRules,
    now: number,
    outcome: AcceptOutcome,
    alreadyFull: boolean,
  ): boolean {
    if (this.#seen(source, message.id)) {
      outcome.duplicates++;
      return alreadyFull;
    }
    const sender = this.chats.people.complete(source, message.sender);
    const verdict = rules.admit({ ...message, sender });
    if (!verdict.admitted) {
      outcome.refused.push({ message: { ...message, sender }, reason: verdict.reason });
      if (mayWrite(sender, rules)) this.#passOver(source, message.id, sender);
      return alreadyFull;
    }
    const json = JSON.stringify(verdict.message);
    const bytes = Buffer.byteLength(json);
    const full =
      alreadyFull ||
      this.pendingMessages >= rules.maxPendingMessages ||
      this.pendingBytes + bytes > rules.maxPendingBytes ||
      this.outbox.backlog.full(rules);
    if (full) {
      outcome.overflow++;
      return true;
    }
    const chat = this.chats.ofMessage(source, verdict.message, now);
    const most = rules.maxPendingPerChat;
    const ofChat = this.#waiting.of(chat).length + this.outbox.backlog.ofChat(chat);
    if (ofChat >= most) {
      outcome.overflow++;
      return false;
    }
    const { lastInsertRowid } = this.database
      .sql(
        `INSERT INTO inbox (source, platform_id, chat, state, received_at, at_least, bytes, message)
         VALUES (?, ?, ?, 0, ?, ?, ?, ?)`,
      )
      .run(source, message.id, chat, now, atLeast(now, [message.timestamp]), bytes, json);
    this.#waiting.add(chat, Number(lastInsertRowid), bytes);
    outcome.admitted.push({ chat, message: verdict.message });
    outcome.amended += this.#amendments?.catchUp(source, message.id, rules, now) ?? 0;
    return false;
  }

  #passOver(source: number, platformId: string, writer: Sender): void {
    this.#passedOver.set(keyOf(source, platformId), writer);
    this.#amendments?.drop(source, platformId, writer);
  }

  /** Whoever wrote to the number of before gets no answer from another. Answers how many messages that were. */
  #abandon(source: number): number {
    const taken = this.database
      .sql(
        `UPDATE inbox SET state = ?, message = NULL WHERE id IN
         (SELECT id FROM inbox INDEXED BY inbox_waiting WHERE state = 0 AND source = ?)`,
      )
      .run(ABANDONED, source);
    this.#waiting.forget();
    return Number(taken.changes);
  }

  #seen(source: number, platformId: string): boolean {
    return (
      this.database
        .sql("SELECT 1 FROM inbox WHERE source = ? AND platform_id = ?")
        .get(source, platformId) !== undefined
    );
  }

  #identify(source: number, event: Extract<InboundEvent, { kind: "identity" }>): void {
    const { sender, previousPhone, previousUserId } = event;
    const same = previousUserId === null && (previousPhone ?? sender.phone) === sender.phone;
    if (same) return this.chats.link(source, sender);
    const previous = { phone: previousPhone, userId: previousUserId, lid: null, username: null };
    this.chats.people.replace(source, previous, sender);
  }

  #react(source: number, platformId: string, emoji: string | null): void {
    const changed = this.database
      .sql("UPDATE inbox SET reaction = ? WHERE source = ? AND platform_id = ?")
      .run(emoji, source, platformId);
    if (changed.changes === 0) {
      this.database
        .sql(`UPDATE outbox SET reaction = ? WHERE platform_id = ? AND ${itsSource} = ?`)
        .run(emoji, platformId, source);
    }
  }

  chatsWithPending(): ChatId[] {
    return this.#waiting.chats();
  }

  pending(chat: ChatId, limit: number): PendingMessage[] {
    return this.#waiting
      .of(chat)
      .slice(0, limit)
      .map((id) => {
        const row = this.database
          .sql("SELECT message, received_at FROM inbox WHERE id = ?")
          .get(id) as { message: string; received_at: number };
        return { id, message: parseMessage(row.message), receivedAt: row.received_at };
      });
  }

  /**
   * Marks a turn's messages done; their content lives on in the history. Answers those that still waited, as they
   * stand: none where another turn has answered one of them, which leaves the others to wait. Runs inside a transaction.
   */
  finish(turn: FinishedTurn): ReadonlyMap<number, Message> {
    const finished = new Map<number, Message>();
    if (turn.messages.length > 1 && turn.messages.some((id) => this.#isDone(id))) return finished;
    for (const id of turn.messages) {
      const row = this.database
        .sql("SELECT chat, bytes, message FROM inbox WHERE id = ? AND state = 0")
        .get(id) as { chat: ChatId; bytes: number; message: string } | undefined;
      if (!row) continue;
      const message = parseMessage(row.message);
      const { phone, userId, lid } = message.sender;
      const writer = message.chat.kind === "group" ? JSON.stringify({ phone, userId, lid }) : null;
      this.database
        .sql("UPDATE inbox SET state = ?, message = NULL, writer = ? WHERE id = ?")
        .run(DONE, writer, id);
      finished.set(id, message);
      this.#waiting.remove(row.chat, id, row.bytes);
    }
    return finished;
  }

  #isDone(id: number): boolean {
    const row = this.database.sql("SELECT state FROM inbox WHERE id = ?").get(id);
    return row?.["state"] === DONE;
  }

  oldestPendingAt(): number | null {
    const row = this.database
      // Over the few that wait: without the hint SQLite walks past everything that is done.
      .sql(
        `SELECT ${writtenAt("received_at")} AS at FROM inbox WHERE id =
         (SELECT min(id) FROM inbox INDEXED BY inbox_waiting WHERE state = 0)`,
      )
      .get() as { at: number } | undefined;
    return row?.at ?? null;
  }
}

function isAmendment({ kind }: InboundEvent): boolean {
  return kind === "edit" || kind === "revoke";
}

/** What we stored ourselves comes back as it went in. */
export function parseMessage(json: string): Message {
  return JSON.parse(json) as Message;
}
