import type {
  Backend,
  ChannelName,
  Chat,
  DeliveryContent,
  DeliveryState,
  InboundEvent,
  Message,
  Recipient,
  SendFailure,
} from "../channels/message.ts";

/**
 * What the conversation asks of a store. Every write resolves after its commit is on disk and rejects with
 * {@link StoreError} where nothing of it was kept. Times are Unix milliseconds.
 */
export interface ConversationStore {
  /**
   * What is kept of an account under another name goes on under the one that it has now. `was`: may it have had this
   * name? Answers the former name; null where that is none or several, and where this name is known already.
   */
  renameAccount(source: Source, was: (account: string) => boolean): Promise<string | null>;
  /** Takes in one batch of a channel: identities, messages, edits, statuses; all of it or nothing. */
  accept(source: Source, events: InboundEvent[], rules: AcceptRules): Promise<AcceptOutcome>;
  /** Chats with messages waiting for a turn, oldest first. */
  chatsWithPendingMessages(): ChatId[];
  /** Waiting messages of one chat, oldest first. */
  pendingMessages(chat: ChatId, limit: number): PendingMessage[];
  chat(chat: ChatId): StoredChat | null;
  /** The newest entries of a chat, oldest first. */
  history(chat: ChatId, limit: number): HistoryRow[];
  /**
   * Ends a turn: its messages are done, its history and its deliveries stand, in one transaction. Answers the chat
   * they belong to: it may have been joined with another while the turn ran. Answers null, and keeps nothing, where
   * another turn has answered one of the messages (the others wait on), or none still waits (all were revoked). With
   * `send`, its first delivery is marked `sending` as by {@link markSending}, unless the chat was joined with another or
   * something else of it is open: `sending` says whether.
   */
  finishTurn(turn: FinishedTurn, send?: boolean): Promise<EndedTurn | null>;
  /** Bytes of all files noted. */
  attachmentBytes(): number;
  /** Where the files of a message lie, in the order in which they were noted. */
  attachmentPaths(messageId: number): string[];
  /** Notes files that belong to a message and go when it goes; what a repeated turn lays down again counts once. */
  addAttachments(messageId: number, files: { path: string; bytes: number }[]): Promise<void>;

  /** Chats with deliveries that are not final, oldest first. */
  chatsWithOpenDeliveries(): ChatId[];
  /** The oldest delivery of a chat that is not final. */
  openDelivery(chat: ChatId): StoredDelivery | null;
  /** The next of a chat that is not final after `id`, the one in flight; null where another one goes before that. */
  deliveryAfter(chat: ChatId, id: string): StoredDelivery | null;
  delivery(id: string): StoredDelivery | null;
  /**
   * Marks a delivery `sending`: the platform may hear of it from here on. False where it is open no more (a status has
   * settled it, or its account changed): it must not be sent.
   */
  markSending(id: string): Promise<boolean>;
  /** The platform took it. Answers how it ends, or null where a status had settled it already. */
  markSent(id: string, platformId: string | null): Promise<Ending | null>;
  /** Back to `pending`, not before `nextAt`. */
  markRetry(id: string, nextAt: number, failure: SendFailure): Promise<void>;
  /** Stays `sending`, not to be repeated before `nextAt`. */
  markAmbiguous(id: string, nextAt: number, failure: SendFailure): Promise<void>;
  /** The platform says that no try of it has arrived: back to `pending`, to be sent at once. */
  markNotSent(id: string): Promise<void>;
  /** Does the platform call a delivery so, or an earlier try of `delivery`? */
  knowsSend(platformId: string, delivery: string): boolean;
  /** False where a status had settled it already. */
  markFailed(id: string, failure: SendFailure): Promise<boolean>;
  /** A failed delivery is tried anew. False where there is no such failed delivery. */
  redeliver(id: string): Promise<boolean>;
  /** Whom the account of a chat speaks as; null where that cannot change, or is not known yet. */
  speaksAs(chat: ChatId): string | null;
  /**
   * Queues deliveries outside of a turn, such as an operator's message. Answers the chat they belong to. Where they
   * were made for an account that spoke as `speaksAs`, and it does so no more, they have failed.
   */
  enqueue(chat: ChatId, deliveries: NewDelivery[], speaksAs?: string | null): Promise<ChatId>;

  /** Finds or makes the chat that an operator names. */
  openChat(source: Source, target: Recipient): Promise<ChatId>;
  /** False where it was so before. */
  setPaused(chat: ChatId, paused: boolean): Promise<boolean>;
  counts(): StoreCounts;
  failedDeliveries(limit: number): StoredDelivery[];
  pausedChats(): StoredChat[];
  sources(): SourceActivity[];
  /** Direct and group chats of a source whose last inbound message is older than `before`. */
  closedWindows(before: number): number;
  /** One small step of retention. */
  retain(limits: RetentionLimits): Promise<Retained>;
  /** Forgets files that are gone from the disk, by the ids of {@link Retained}. */
  forgetFiles(ids: number[]): Promise<void>;
  /** Can it be written? Throws {@link StoreError} where not. */
  checkWritable(): Promise<void>;
  close(): void;
}

/** One account of one channel. */
export interface Source {
  channel: ChannelName;
  backend: Backend;
  account: string;
}

/** An account's key among those of one daemon. */
export function sourceKey(source: Source): string {
  return `${source.channel}\n${source.account}`;
}

/** A chat's key inside one store. */
export type ChatId = number;

export type Verdict = { admitted: true; message: Message } | { admitted: false; reason: string };

export interface AcceptRules {
  /**
   * The admission: called with every identity known of the sender filled in. Pure. Reasons that begin with `mention_` are
   * of the words alone: others of the same sender may pass.
   */
  admit(message: Message): Verdict;
  /** Of messages that wait for a turn, and as many of deliveries that wait to be sent; the bytes likewise. */
  maxPendingMessages: number;
  maxPendingBytes: number;
  /** Messages and deliveries of one chat together. */
  maxPendingPerChat: number;
  /**
   * The platform accepted a delivery and failed it afterwards: the pause until it is tried again, ms, or null where it
   * has failed for good (always, when absent). Pure.
   */
  pauseAfter?(failure: SendFailure, attempts: number): number | null;
}

export interface AcceptOutcome {
  admitted: { chat: ChatId; message: Message }[];
  refused: { message: Message; reason: string }[];
  duplicates: number;
  /** Messages that did not fit the bounds and were not kept: the platform must send them again. */
  overflow: number;
  /** Deliveries that a status or an edit moved. */
  moved: { chat: ChatId; delivery: string; failure: SendFailure | null }[];
  /** Of an account that speaks as another number now: what waited for a turn, and to be sent. */
  abandoned: { messages: number; deliveries: number };
  /** Pending messages that a revoke or edit changed. */
  amended: number;
}

export interface PendingMessage {
  /** Key inside the store. */
  id: number;
  message: Message;
  receivedAt: number;
}

export interface StoredChat {
  id: ChatId;
  source: Source;
  chat: Chat;
  recipient: Recipient;
  paused: boolean;
  /** null where nobody of this chat ever wrote. */
  lastInboundAt: number | null;
}

export interface HistoryRow {
  role: "user" | "assistant";
  text: string;
}

export type HistoryEntry =
  | { role: HistoryRow["role"]; text: string; messageId: null }
  /**
   * `text` may be made of the message as it stands at the end of the turn: its sender may have edited it. Pure. `lead` is
   * what of it stands before the sender's words, which an edit leaves; without one, a group's entry stays as it is.
   */
  | {
      role: "user";
      text: string | ((message: Message) => string);
      lead?: string;
      messageId: number;
    };

export interface NewDelivery {
  id: string;
  content: DeliveryContent;
}

export interface FinishedTurn {
  chat: ChatId;
  turnId: string;
  /** Keys of the messages it took up. */
  messages: number[];
  history: HistoryEntry[];
  /** History rows kept per chat. */
  keepHistory: number;
  deliveries: NewDelivery[];
}

export interface EndedTurn {
  chat: ChatId;
  sending: boolean;
}

/** How a delivery ended: sent, or failed for this reason. */
export interface Ending {
  failure: SendFailure | null;
}

export type OpenState = "pending" | "sending";
export interface StoredDelivery {
  id: string;
  chat: ChatId;
  state: OpenState | "sent" | "failed";
  content: DeliveryContent;
  /** Tries begun: what could not leave, or was refused for its account's sake, is none. */
  attempts: number;
  /** Of these, the ones that ended without an answer, and nobody can say whether they arrived. */
  unanswered: number;
  nextAt: number;
  platformId: string | null;
  /** The platform's latest word. */
  status: DeliveryState | null;
  code: string | null;
  hint: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface StoreCounts {
  pendingMessages: number;
  pendingBytes: number;
  oldestPendingAt: number | null;
  openDeliveries: number;
  oldestOpenDeliveryAt: number | null;
  failedDeliveries: number;
}

export interface SourceActivity {
  source: Source;
  lastInboundAt: number | null;
  lastOutboundAt: number | null;
}

export interface RetentionLimits {
  /** Messages, deliveries and history older than this go. */
  contentBefore: number;
  /** Keys of de-duplication older than this go (never less than eight days). */
  keysBefore: number;
  /** Accounts that run: what waits for a turn there is kept, unless its chat is paused. */
  running: Source[];
  /** Rows a step may touch. */
  rows: number;
}

export interface Retained {
  /** To be removed from the disk. They stay noted until {@link ConversationStore.forgetFiles}. */
  files: { id: number; messageId: number; path: string; bytes: number }[];
  /** Of what went, what had still waited: for a turn, and to be sent. */
  expired: { messages: number; deliveries: number };
  /** There is more to do at once. */
  more: boolean;
}

export type StoreProblem = "full" | "readonly" | "damaged" | "busy" | "failed";

/** The store could not do what was asked; nothing of the request was kept. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  constructor(
    readonly problem: StoreProblem,
    message: string,
  ) {
    super(message);
  }
}
