/** The contract of an agent, and the JSON shapes of the agent protocol (webhook body, command stdin). */

export interface TurnSender {
  phone: string | null;
  user_id: string | null;
  lid: string | null;
  username: string | null;
  name: string | null;
}

export interface TurnAttachment {
  kind: "image" | "audio" | "video" | "document" | "sticker";
  mime_type: string | null;
  filename: string | null;
  /** Bytes; null where the download failed. */
  size: number | null;
  /** Absolute path; null where the download failed. */
  path: string | null;
  /** Why there is no file. */
  error?: string;
}

export interface TurnMessage {
  id: string;
  type: string;
  text: string;
  /** Unix seconds. */
  timestamp: number;
  sender: TurnSender;
  reply_to: string | null;
  forwarded: boolean;
  attachments: TurnAttachment[];
}

export interface HistoryEntry {
  role: "user" | "assistant";
  text: string;
}

/** One call of the agent. `history` is oldest first and does not hold the messages of this turn. */
export interface TurnRequest {
  /** Stable over retries and restarts, so that an agent can recognise a repeated turn. */
  turn_id: string;
  channel: "whatsapp" | "wati";
  backend: "cloud" | "web" | "wati";
  chat: { id: string; kind: "direct" | "group" | "self" };
  messages: TurnMessage[];
  history: HistoryEntry[];
  /** Present only where `[agent] system_prompt` is set. */
  system_prompt?: string;
}

/** One piece of an answer. Media paths are as the agent gave them; whoever takes them checks where they lie. */
export type AgentPart =
  /** Markdown, unless `verbatim`: then it bears WhatsApp's own marks. `replyTo` is the platform id of a message to quote. */
  | { kind: "text"; text: string; verbatim?: true; replyTo?: string }
  | { kind: "reaction"; emoji: string }
  | {
      kind: "media";
      media: "audio" | "image" | "video" | "document";
      path: string;
      caption: string | null;
      filename: string | null;
    };

/** `parts` empty: the agent chose not to answer. */
export interface AgentReply {
  parts: AgentPart[];
}

/** An agent that wishes to be left alone for longer is asked again after this, ms: a limit of a day may be lifted meanwhile. */
export const longestWishMs = 60_000;

/** A turn that failed. `detail` is for the log and the operator, never for the customer, and holds no secret. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  constructor(
    readonly detail: string,
    /** False where trying the same again cannot help (a 4xx of the agent's own making still may). */
    readonly retryable: boolean,
    /** How long the agent wishes to be left alone, ms. */
    readonly afterMs: number = 0,
  ) {
    super(detail);
  }
}

export interface Agent {
  readonly kind: "echo" | "webhook" | "command" | "model";
  /** Runs one turn. Throws {@link AgentError}, or the signal's reason when aborted. */
  run(request: TurnRequest, signal: AbortSignal): Promise<AgentReply>;
  /** A minimal real call for `doctor`. Throws {@link AgentError} with what is wrong. */
  probe(signal: AbortSignal): Promise<string>;
}
