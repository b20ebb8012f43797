import type { Backend, ChannelName } from "../channels/message.ts";
import type { ChannelState } from "../channels/channel.ts";

/** What the control socket of a running daemon speaks: JSON over HTTP on `<home>/revka.sock` (mode 0600). */

export interface ChannelReport {
  channel: ChannelName;
  /** null where the channel is skipped. */
  backend: Backend | null;
  state: ChannelState;
  reason: string | null;
  linked_as: string | null;
  /** RFC 3339. */
  last_inbound_at: string | null;
  last_outbound_at: string | null;
  /** The last thing that went wrong, kept after it healed. */
  last_error: { at: string; code: string; hint: string } | null;
  linking?: { qr: string | null; pair_code: string | null; expires_at: string };
}

/** Something that needs a person. */
export interface Alarm {
  since: string;
  source: string;
  code: string;
  hint: string;
}

export interface FailedDelivery {
  id: string;
  channel: ChannelName;
  /** As `revka pause` takes it; null where the chat is gone. */
  chat_id: string | null;
  at: string;
  code: string;
  hint: string;
}

export interface StatusReport {
  version: string;
  variant: "default" | "whatsapp-web";
  config_path: string;
  daemon: { running: boolean; pid: number | null; uptime_seconds: number | null };
  channels: ChannelReport[];
  inbox: { pending: number; oldest_age_seconds: number | null };
  /** Unconfirmed: sent without an answer; they wait for word of it before they are sent again. */
  outbox: {
    pending: number;
    failed: number;
    unconfirmed: number;
    oldest_age_seconds: number | null;
  };
  turns: { running: number };
  /** Counted since the daemon started, by channel and reason. */
  refusals: { channel: string; reason: string; count: number }[];
  failed_deliveries: FailedDelivery[];
  alarms: Alarm[];
  /** Chats an operator paused. */
  paused_chats: { channel: ChannelName; chat_id: string }[];
  /** Chats of a Cloud or WATI channel whose 24-hour window is closed. */
  closed_windows: number;
  gateway: { address: string | null; public_url: string | null };
}

/** A {@link StatusReport} for a person, drawn by the daemon: its code is loaded, a command would load it first. */
export interface ShownStatus {
  /** Lines of at most 80 characters, but for a longer word such as a path; what came from outside is harmless to a terminal. */
  text: string;
  /** The daemon runs and every configured channel is ready. */
  ready: boolean;
  /** What the QR codes say that wait to be scanned. */
  qr: string[];
}

/** Channel defaults to the only one configured; text of at least one character. */
export interface SendRequest {
  to: string;
  text: string;
  channel?: ChannelName;
  /** Wait until the deliveries are sent or failed; else the answer comes once they are on disk. */
  wait_ms?: number;
}

export interface SendReport {
  deliveries: {
    id: string;
    state: "pending" | "sending" | "sent" | "failed";
    platform_id: string | null;
    code: string | null;
    hint: string | null;
  }[];
  /** Set where the 24-hour window of this chat is closed or unknown, in plain words. */
  window_warning: string | null;
}

export interface ChatRequest {
  chat: string;
  channel?: ChannelName;
}

export interface PauseReport {
  /** False where the chat was as it was asked to be. */
  changed: boolean;
}

/**
 * The routes, each with its body and answer:
 * - `GET /status` → {@link StatusReport}; with `?shown` → {@link ShownStatus}
 * - `POST /send` {@link SendRequest} → {@link SendReport}
 * - `POST /pause`, `POST /resume` {@link ChatRequest} → `{ "ok": true }` and {@link PauseReport}
 * - `POST /redeliver` `{ "id": "…" }` → `{ "ok": true }`
 * - `POST /relink` → `{ "ok": true }`
 * Errors are `{ "error": "…" }` with 400, 404 or 409.
 */
export interface ControlApi {
  status(): Promise<StatusReport>;
  send(request: SendRequest): Promise<SendReport>;
  pause(request: ChatRequest): Promise<PauseReport>;
  resume(request: ChatRequest): Promise<PauseReport>;
  redeliver(id: string): Promise<void>;
  relink(): Promise<void>;
}

/** The other end of the socket. */
export interface ControlClient extends ControlApi {
  shownStatus(): Promise<ShownStatus>;
}

/** A request that cannot be served as it stands; its message is for the person who asked. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  constructor(
    readonly status: 400 | 404 | 409 | 413,
    message: string,
  ) {
    super(message);
  }
}

/** Nothing answers on the control socket. */
export class DaemonNotRunning extends Error {
  override readonly name = "DaemonNotRunning";
  constructor(readonly socketPath: string) {
    super(`no daemon is running here (nothing answers on ${socketPath})`);
  }
}

/** What lies at the socket's place cannot be spoken to: another account's, or no socket. */
export class SocketUnusable extends Error {
  override readonly name = "SocketUnusable";
}
