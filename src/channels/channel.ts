import type { Routes } from "../net/routes.ts";
import type {
  Backend,
  ChannelName,
  Chat,
  Delivery,
  InboundEvent,
  MediaReference,
  Recipient,
  SendFailure,
  SendResult,
} from "./message.ts";

/**
 * Hands what a channel received to the inside. Resolves once every admitted message is on disk; only then may the
 * channel acknowledge. Rejects with {@link NotAccepted} where the platform should try again.
 */
export type Deliver = (events: InboundEvent[]) => Promise<void>;

/** Nothing of the batch was kept: the store cannot be written, is full, or the daemon is stopping. */
export class NotAccepted extends Error {
  override readonly name = "NotAccepted";
  constructor(
    readonly reason: "store" | "overloaded" | "stopping",
    /** Whole seconds for `Retry-After`. */
    readonly retryAfterSecs: number,
    message: string,
  ) {
    super(message);
  }
}

export type ChannelState =
  "ready" | "connecting" | "linking" | "disconnected" | "logged_out" | "skipped";

/** What a screen needs to link a phone: the raw QR payload or the 8-character code, the other null. */
export interface Linking {
  qr: string | null;
  pairCode: string | null;
  /** Unix milliseconds. */
  expiresAt: number;
}

/**
 * Shows the person who started the daemon a QR or pair code, drawn for a terminal of so many columns, or for no terminal.
 */
export type ShowLinking = (
  draw: (columns: number | undefined) => Promise<string>,
) => void | Promise<void>;

export interface ChannelStatus {
  state: ChannelState;
  /** In plain words why the state is not `ready`, else null. */
  reason: string | null;
  /** Account the channel speaks as (E.164 or a display number), where known. */
  linkedAs: string | null;
  linking?: Linking;
}

/** The chat and message a turn works on, for receipts and typing. */
export interface TurnFocus {
  chat: Chat;
  recipient: Recipient;
  /** Platform ids of the turn's messages, oldest first, with the participant who wrote each (groups). */
  messages: {
    id: string;
    sender: { phone: string | null; userId: string | null; lid: string | null };
  }[];
}

/** Limits of the platform that the outbox stays under. */
export interface Pace {
  /** Messages a second, over all recipients. */
  perSecond: number;
  /** One message to one recipient in this time, sustained, ms. */
  recipientIntervalMs: number;
  /** Messages to one recipient at once. */
  recipientBurst: number;
}

/** A media file read off the platform. `body` must be consumed or cancelled. */
export interface MediaStream {
  body: ReadableStream<Uint8Array>;
  mimeType: string | null;
}

/** Of each message found, all that the platform calls it; what a send is answered with comes first. */
export type SentLookup = { ok: true; found: string[][] } | { ok: false; failure: SendFailure };

/**
 * A way to reach people. A channel parses, sends and reports its state; it knows nothing of the inbox. Every promise
 * honours its signal.
 */
export interface Channel {
  readonly name: ChannelName;
  readonly backend: Backend;
  /** Which account of the channel: part of every key in the store. */
  readonly account: string;
  /** May another config have named this account so? Absent where an account has one name for ever. */
  wasAccount?(account: string): boolean;
  /**
   * What a repeated send means: `status` a status event names our delivery id, so wait for it first; `same-id`
   * receivers drop the repeat; `ask` the platform may be able to say what it has sent, so ask first (`findSent`).
   */
  readonly repeat: "status" | "same-id" | "ask";
  /** How long a send with a lost answer waits, ms: for its status, or until it is asked for. */
  readonly graceMs?: number;
  /** How fast the platform lets one send. */
  readonly pace?: Pace;
  /** Routes to mount under the gateway's prefix (webhook channels). */
  readonly routes?: Routes;
  /** Begins to receive. Resolves as soon as that is under way; connecting goes on in the background. */
  start(deliver: Deliver): Promise<void>;
  stop(): Promise<void>;
  status(): ChannelStatus;
  /** Calls back at each change of {@link status}. */
  onStatus(listener: () => void): void;
  /** Splits and formats an agent's Markdown into the texts of one delivery each. Pure. */
  renderText(markdown: string): string[];
  send(delivery: Delivery, signal: AbortSignal): Promise<SendResult>;
  /**
   * With `repeat: "ask"`: what the platform has sent to the recipient since `since` (Unix ms) that reads as this
   * delivery. A failure with `retry: "no"` says that it cannot be asked.
   */
  findSent?(delivery: Delivery, since: number, signal: AbortSignal): Promise<SentLookup>;
  /** How often that may be asked. */
  readonly askPace?: Pace;
  /**
   * Is sending possible? null when it is. Asked while sending is held. A failure with `retry: "no"` says that the
   * question itself was not understood, so that only a send can tell; any other that it is not possible.
   */
  probe(signal: AbortSignal): Promise<SendFailure | null>;
  /** A turn took these messages up: read receipts and typing as configured. Best effort, never throws. */
  turnStarted(focus: TurnFocus): void;
  /** The turn ended, with or without a reply: withdraw typing where the platform can. Never throws. */
  turnEnded(focus: TurnFocus): void;
  /**
   * Opens the bytes of an inbound file. The caller limits size and time. What another try may get fails, here or while
   * it is read, with a `DownloadFailure` that {@link DownloadFailure.mayPass | may pass}.
   */
  openMedia(media: MediaReference, signal: AbortSignal): Promise<MediaStream>;
  /** Forgets the session and links anew (Web only). */
  relink?(): Promise<void>;
}
