import { Journal } from "./journal.ts";

/** One POST to `/messages` that was a message. */
export interface SendRecord {
  /** Unix milliseconds of arrival. */
  at: number;
  /**
   * `accepted` it has a wamid and its sender knows; `lost` it has a wamid, but the answer never left; `refused` an
   * error was answered; `dropped` and `hung` nothing was accepted and nothing answered.
   */
  outcome: "accepted" | "lost" | "refused" | "dropped" | "hung";
  wamid: string | null;
  /** Digits of the number, the BSUID or the group id. */
  recipient: string;
  recipientKind: "phone" | "user_id" | "group";
  /** `to` or `recipient` as it came. */
  input: string;
  type: string;
  /** Body or caption, else null. */
  text: string | null;
  /** `context.message_id`. */
  quote: string | null;
  /** `biz_opaque_callback_data`. */
  callbackData: string | null;
  /** Code of the error that was answered. */
  code: number | null;
  /** Graph version of the path. */
  version: string;
  /** The parsed body. */
  body: Record<string, unknown>;
}

/** One "mark read", with or without typing. */
export interface ReadRecord {
  at: number;
  messageId: string;
  typing: boolean;
  /** The simulator sent this message itself. */
  known: boolean;
}

export interface UploadRecord {
  at: number;
  mediaId: string;
  mimeType: string;
  filename: string | null;
  bytes: number;
}

export interface DownloadRecord {
  at: number;
  mediaId: string;
  bytes: number;
}

/** Every request to the Graph side, refused ones included. */
export interface RequestRecord {
  at: number;
  method: string;
  /** Path with query, without a token. */
  path: string;
  /** 0 where nothing was answered. */
  status: number;
  code: number | null;
}

/** One webhook, from its first attempt to its last. */
export interface WebhookRecord {
  id: number;
  kind: "message" | "status" | "raw";
  /** Ids of the messages or statuses in it. */
  ids: string[];
  /** Unix milliseconds of the first attempt. */
  at: number;
  attempts: number;
  /** HTTP status of the last attempt; null where none came back. */
  status: number | null;
  state: "pending" | "accepted" | "given-up";
}

/** All that a simulator saw. `webhooks` gets its entry when a webhook is accepted or given up. */
export class GraphRecords {
  readonly sends = new Journal<SendRecord>("sends");
  readonly reads = new Journal<ReadRecord>("reads");
  readonly uploads = new Journal<UploadRecord>("uploads");
  readonly downloads = new Journal<DownloadRecord>("downloads");
  readonly requests = new Journal<RequestRecord>("requests");
  readonly webhooks = new Journal<WebhookRecord>("webhooks");

  /** Messages that reached Meta for one recipient, in order: accepted ones, and those whose answer was lost. */
  sentTo(recipient: string): SendRecord[] {
    const wanted = recipient.replace(/^\+/, "");
    return this.sends.entries.filter((send) => send.wamid !== null && send.recipient === wanted);
  }

  clear(): void {
    for (const journal of [this.sends, this.reads, this.uploads]) journal.clear();
    for (const journal of [this.downloads, this.requests, this.webhooks]) journal.clear();
  }
}
