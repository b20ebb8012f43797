import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { InboundEvent, Recipient, SendFailure } from "../channels/message.ts";
import type { Clock } from "../runtime/clock.ts";
import { targetOf } from "../runtime/target-of.ts";
import { Attachments } from "./attachments.ts";
import { Backlog } from "./backlog.ts";
import { Chats } from "./chats.ts";
import {
  StoreError,
  type AcceptOutcome,
  type AcceptRules,
  type ChatId,
  type ConversationStore,
  type EndedTurn,
  type Ending,
  type FinishedTurn,
  type HistoryRow,
  type NewDelivery,
  type PendingMessage,
  type Retained,
  type RetentionLimits,
  type Source,
  type SourceActivity,
  type StoreCounts,
  type StoredChat,
  type StoredDelivery,
} from "./contract.ts";
import { Database, moveAside, toStoreError } from "./database.ts";
import { Expiry } from "./expiry.ts";
import { History } from "./history.ts";
import { Inbox } from "./inbox.ts";
import { foreignFile, refuseForeign } from "./foreign.ts";
import { lockFile } from "./lock.ts";
import { accountChanged, Outbox } from "./outbox.ts";
import { atLeast } from "./platform-time.ts";
import { People } from "./people.ts";
import { Retention } from "./retention.ts";
import { Sources } from "./sources.ts";

export interface OpenedStore {
  store: ConversationStore;
  /** Where a damaged file went, if there was one. */
  movedAside: string | null;
}

/**
 * Opens the store at `path`, held against any second process (lock beside it, `<path>.lock`; of a link, beside its target). A damaged file is moved
 * aside and a new one begun. Throws {@link StoreError}: `busy` where another daemon runs on it.
 */
export function openStore(options: {
  path: string;
  clock: Clock;
  /** Folds the double forms of a number to one key. */
  phoneKey: (phone: string) => string;
}): OpenedStore {
  const { path, clock } = options;
  const lock = hold(path);
  try {
    let movedAside: string | null = null;
    let database: Database;
    try {
      database = Database.open(path);
    } catch (error) {
      if (!(error instanceof StoreError) || error.problem !== "damaged") throw error;
      movedAside = moveAside(targetOf(path), clock.now());
      database = Database.open(path);
    }
    return { store: new SqliteStore(database, lock, clock, options.phoneKey), movedAside };
  } catch (error) {
    lock.release();
    throw named(path, error);
  }
}

/** Throws {@link StoreError}: `busy`, what is no store, or what keeps the lock file from being made. */
function hold(path: string): { release(): void } {
  try {
    refuseForeign(foreignFile(path));
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Two links may lead to one store.
    return lockFile(`${targetOf(path)}.lock`);
  } catch (error) {
    throw named(path, error);
  }
}

/** Whoever reads it must know which file, and what to do. */
function named(path: string, error: unknown): StoreError {
  const { problem, message } = toStoreError(error);
  return problem === "busy"
    ? new StoreError(
        problem,
        `another Revka runs on the store ${path}: stop it first, or set REVKA_HOME or [store] path`,
      )
    : new StoreError(problem, `the store ${path}: ${message}`);
}

class SqliteStore implements ConversationStore {
  readonly #database: Database;
  readonly #lock: { release(): void };
  readonly #clock: Clock;
  readonly #sources: Sources;
  readonly #chats: Chats;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #history: History;
  readonly #attachments: Attachments;
  readonly #retention: Retention;

  constructor(
    database: Database,
    lock: { release(): void },
    clock: Clock,
    phoneKey: (phone: string) => string,
  ) {
    this.#database = database;
    this.#lock = lock;
    this.#clock = clock;
    this.#sources = new Sources(database);
    this.#chats = new Chats(database, this.#sources, new People(database, phoneKey));
    this.#outbox = new Outbox(database, new Backlog(database), (chat) => this.#chats.current(chat));
    this.#inbox = new Inbox(database, this.#sources, this.#chats, this.#outbox);
    this.#history = new History(database);
    this.#attachments = new Attachments(database);
    this.#retention = new Retention(database, new Expiry(database, this.#inbox, this.#outbox));
  }

  async renameAccount(source: Source, was: (account: string) => boolean): Promise<string | null> {
    const former = this.#sources.former(source, was);
    if (former === null) return null;
    await this.#database.write(() => this.#sources.rename(former.id, source.account), this.#undone);
    return former.account;
  }

  async accept(source: Source, events: InboundEvent[], rules: AcceptRules): Promise<AcceptOutcome> {
    const loading = this.#loading(events);
    if (loading) await loading;
    const result = await this.#database.write(
      () => this.#inbox.accept(source, events, rules, this.#clock.now()),
      this.#undone,
    );
    this.#sources.remember(source, result.sourceId);
    return result.outcome;
  }

  /** See {@link Inbox.loading}. Throws, and rejects with, {@link StoreError}. */
  #loading(events: InboundEvent[]): Promise<void> | null {
    const failed = (error: unknown): never => {
      throw toStoreError(error);
    };
    try {
      return this.#inbox.loading(events)?.catch(failed) ?? null;
    } catch (error) {
      return failed(error);
    }
  }

  chatsWithPendingMessages(): ChatId[] {
    return this.#inbox.chatsWithPending();
  }

  pendingMessages(chat: ChatId, limit: number): PendingMessage[] {
    return this.#inbox.pending(chat, limit);
  }

  chat(chat: ChatId): StoredChat | null {
    return this.#chats.get(chat);
  }

  history(chat: ChatId, limit: number): HistoryRow[] {
    return this.#history.newest(chat, limit);
  }

  finishTurn(turn: FinishedTurn, send = false): Promise<EndedTurn | null> {
    return this.#database.write(() => {
      const now = this.#clock.now();
      const chat = this.#chats.current(turn.chat);
      const finished = this.#inbox.finish(turn);
      if (finished.size === 0) return null;
      const times = [...finished.values()].map(({ timestamp }) => timestamp);
      const known = atLeast(now, times);
      this.#history.add({ ...turn, chat }, finished, now, known);
      const sending = send && chat === turn.chat && !this.#outbox.hasOpen(chat);
      this.#outbox.add(chat, turn.turnId, turn.deliveries, now, { sending, atLeast: known });
      return { chat, sending };
    }, this.#undone);
  }

  attachmentBytes(): number {
    return this.#attachments.bytes();
  }

  addAttachments(messageId: number, files: { path: string; bytes: number }[]): Promise<void> {
    return this.#database.write(() => this.#attachments.add(messageId, files), this.#undone);
  }

  chatsWithOpenDeliveries(): ChatId[] {
    return this.#outbox.chatsWithOpen();
  }

  openDelivery(chat: ChatId): StoredDelivery | null {
    return this.#outbox.open(chat);
  }

  deliveryAfter(chat: ChatId, id: string): StoredDelivery | null {
    return this.#outbox.openAfter(chat, id);
  }

  delivery(id: string): StoredDelivery | null {
    return this.#outbox.get(id);
  }

  markSending(id: string): Promise<boolean> {
    return this.#database.write(() => this.#outbox.markSending(id, this.#clock.now()));
  }

  markSent(id: string, platformId: string | null): Promise<Ending | null> {
    return this.#database.write(() => {
      const now = this.#clock.now();
      const marked = this.#outbox.markSent(id, platformId, now);
      this.#sources.sent(id, now);
      return marked;
    }, this.#undone);
  }

  markRetry(id: string, nextAt: number, failure: SendFailure): Promise<void> {
    return this.#database.write(() =>
      this.#outbox.markWaiting(id, "pending", nextAt, failure, this.#clock.now()),
    );
  }

  markAmbiguous(id: string, nextAt: number, failure: SendFailure): Promise<void> {
    return this.#database.write(() =>
      this.#outbox.markWaiting(id, "sending", nextAt, failure, this.#clock.now()),
    );
  }

  markNotSent(id: string): Promise<void> {
    return this.#database.write(() => this.#outbox.markNotSent(id, this.#clock.now()));
  }

  knowsSend(platformId: string, delivery: string): boolean {
    return this.#outbox.knowsSend(platformId, delivery);
  }

  markFailed(id: string, failure: SendFailure): Promise<boolean> {
    return this.#database.write(
      () => this.#outbox.markFailed(id, failure, this.#clock.now()),
      this.#undone,
    );
  }

  redeliver(id: string): Promise<boolean> {
    return this.#database.write(() => this.#outbox.redeliver(id, this.#clock.now()), this.#undone);
  }

  speaksAs(chat: ChatId): string | null {
    return this.#sources.numberOf(chat);
  }

  enqueue(
    chat: ChatId,
    deliveries: NewDelivery[],
    speaksAs: string | null = null,
  ): Promise<ChatId> {
    return this.#database.write(() => {
      const now = this.#clock.now();
      const current = this.#chats.current(chat);
      this.#outbox.add(current, null, deliveries, now);
      if (speaksAs !== null && this.#sources.numberOf(current) !== speaksAs) {
        for (const { id } of deliveries) this.#outbox.markFailed(id, accountChanged, now);
      }
      return current;
    }, this.#undone);
  }

  openChat(source: Source, target: Recipient): Promise<ChatId> {
    return this.#database.write(
      () => this.#chats.ofRecipient(this.#sources.key(source), target),
      this.#undone,
    );
  }

  setPaused(chat: ChatId, paused: boolean): Promise<boolean> {
    return this.#database.write(() => this.#chats.setPaused(chat, paused));
  }

  counts(): StoreCounts {
    const outbox = this.#outbox.counts();
    return {
      pendingMessages: this.#inbox.pendingMessages,
      pendingBytes: this.#inbox.pendingBytes,
      oldestPendingAt: this.#inbox.oldestPendingAt(),
      openDeliveries: outbox.open,
      oldestOpenDeliveryAt: outbox.oldestOpenAt,
      failedDeliveries: outbox.failed,
    };
  }

  failedDeliveries(limit: number): StoredDelivery[] {
    return this.#outbox.failed(limit);
  }

  pausedChats(): StoredChat[] {
    return this.#chats.paused();
  }

  sources(): SourceActivity[] {
    return this.#sources.activity();
  }

  closedWindows(before: number): number {
    const row = this.#database
      .sql(
        `SELECT count(*) AS n FROM sources CROSS JOIN chats ON chats.source = sources.id
         WHERE backend <> 'web' AND chats.last_inbound_at < ?`,
      )
      .get(before) as { n: number };
    return row.n;
  }

  async retain(limits: RetentionLimits): Promise<Retained> {
    await this.#loading([]);
    return this.#database.write(() => this.#retention.step(limits), this.#undone);
  }

  attachmentPaths(messageId: number): string[] {
    return this.#attachments.pathsOf(messageId);
  }

  forgetFiles(ids: number[]): Promise<void> {
    return this.#database.write(() => this.#attachments.remove(ids), this.#undone);
  }

  checkWritable(): Promise<void> {
    return this.#database.write(() => {
      this.#database.sql("UPDATE probe SET at = ?").run(this.#clock.now());
    });
  }

  /** A rollback took back what was kept in memory along the way. */
  readonly #undone = (): void => {
    this.#inbox.forget();
    this.#outbox.backlog.forget();
    this.#attachments.forget();
    this.#sources.forget();
    this.#chats.forget();
  };

  close(): void {
    this.#database.close();
    this.#lock.release();
  }
}
