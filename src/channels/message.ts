/** The words that travel between a channel and the rest of the house. Plain data, safe to store as JSON. */

export type ChannelName = "whatsapp" | "wati";
export type Backend = "cloud" | "web" | "wati";
export type ChatKind = "direct" | "group" | "self";

/** Everything known of who wrote. `phone` is E.164 with its plus; `userId` a BSUID; `lid` ends in `@lid`. */
export interface Sender {
  phone: string | null;
  userId: string | null;
  /** The BSUID that several portfolios of one business share: with every message of theirs, if Meta set it up. */
  parentUserId?: string;
  lid: string | null;
  username: string | null;
  name: string | null;
}

/**
 * Where a reply goes. `id` is what the outside sees as `chat.id`: for a direct chat the E.164 number where it is
 * known, else the BSUID or LID; for a group its id or JID; for `self` the own number.
 */
export interface Chat {
  kind: ChatKind;
  id: string;
}

export type MediaKind = "image" | "audio" | "video" | "document" | "sticker";

const mediaKinds: ReadonlyMap<string, MediaKind> = new Map([
  ["image", "image"],
  ["audio", "audio"],
  ["voice", "audio"],
  ["video", "video"],
  ["document", "document"],
  ["sticker", "sticker"],
]);

/** The kind of file that comes with a message of this type ({@link Message.type}); undefined where none does. */
export function mediaKindOf(type: string): MediaKind | undefined {
  return mediaKinds.get(type);
}

/** A file the platform holds for us. `source` is what the channel needs to fetch it; nobody else reads it. */
export interface MediaReference {
  kind: MediaKind;
  mimeType: string | null;
  filename: string | null;
  /** Bytes as the platform says; never trusted as a limit. */
  size: number | null;
  /** Seconds, where the platform says. */
  durationSecs: number | null;
  source: Record<string, string | number | boolean | null>;
}

/** One inbound message, normalised. */
export interface Message {
  /** The platform's id (wamid, WATI id, Web stanza id), unique within (channel, account). */
  id: string;
  /** For a direct chat the sender is the chat; a group carries its id. */
  chat: { kind: "direct" | "self" } | { kind: "group"; id: string };
  sender: Sender;
  /** The platform's own type name; a voice note is `voice`, other audio `audio`. */
  type: string;
  /** Body, caption, tapped title or a one-line rendering; `""` where there is none. */
  text: string;
  /** Unix seconds. */
  timestamp: number;
  /** Platform id of the quoted message. */
  replyTo: string | null;
  forwarded: boolean;
  attachments: MediaReference[];
  /** Written by the linked or business account itself. */
  fromMe: boolean;
  /** A real @-mention of the own account, or a reply to it. */
  mentionsMe: boolean;
  /** Found after downtime, so an age window applies. */
  backlog: boolean;
}

export type DeliveryState = "sent" | "delivered" | "read" | "played" | "failed";

/** What the platform says of something we sent. */
export interface StatusUpdate {
  /** Platform id of the sent message. */
  platformId: string;
  /** Our delivery id, where the platform echoes it (Cloud: `biz_opaque_callback_data`). */
  deliveryId: string | null;
  state: DeliveryState;
  /** Unix seconds. */
  timestamp: number;
  /** Present when `state` is `failed`. */
  failure: SendFailure | null;
}

/** One thing a channel tells the inside. Only `message` can start a turn. */
export type InboundEvent =
  | { kind: "message"; message: Message }
  | { kind: "reaction"; targetId: string; emoji: string | null; sender: Sender }
  /** `at`: when it was made, Unix seconds. Of several the latest counts, in whatever order they come. */
  | { kind: "edit"; targetId: string; text: string; sender: Sender; at?: number }
  | { kind: "revoke"; targetId: string; sender: Sender }
  | { kind: "status"; status: StatusUpdate }
  /** Two identities that belong to one person, learnt outside a message. */
  | {
      kind: "identity";
      sender: Sender;
      previousUserId: string | null;
      previousPhone: string | null;
    }
  /**
   * Whom the channel speaks as from now on (E.164): told before it sends anything. What still waits for another is
   * not for this one.
   */
  | { kind: "account"; number: string }
  /**
   * Seen, understood, and deliberately not acted upon; counted under `reason` (snake_case). `number` is whose it is, where
   * it is for another number: as the platform names it.
   */
  | { kind: "ignored"; reason: string; number?: string };

/** A reason for which all may be ignored: the config names another number than the platform does. */
export const otherNumber = "other_number";

/** Everything a channel may send to, resolved from the chat. */
export type Recipient =
  | { kind: "direct"; phone: string | null; userId: string | null; lid: string | null }
  | { kind: "group"; id: string }
  | { kind: "self" };

export type DeliveryContent =
  | { kind: "text"; text: string; quote: string | null }
  | { kind: "reaction"; targetId: string; emoji: string }
  | {
      kind: "media";
      media: MediaKind | "voice";
      /** Absolute path of a file under the home or `media_dir`. */
      path: string;
      mimeType: string;
      filename: string | null;
      caption: string | null;
      durationSecs: number | null;
    }
  | { kind: "edit"; targetId: string; text: string }
  | { kind: "revoke"; targetId: string };

/** One outbound piece. `id` is ours, stable over retries and restarts. */
export interface Delivery {
  id: string;
  chat: Chat;
  recipient: Recipient;
  content: DeliveryContent;
}

/**
 * Why a send did not succeed, and what may be done.
 * - `no`: this delivery fails for good.
 * - `backoff`: try again later; `afterMs` is the platform's own wish, where it has one.
 * - `recipient`: as `backoff`, but only this recipient waits.
 * - `hold`: token, permission or account: the channel's sending stops until a probe succeeds.
 * - `ambiguous`: the request may have been accepted (its answer was lost).
 * - `unsent`: it never left, since no connection could be made: as if nothing had been tried.
 */
export interface SendFailure {
  retry: "no" | "backoff" | "recipient" | "hold" | "ambiguous" | "unsent";
  afterMs: number | null;
  /** The platform's code or ours (`timeout`, `network`, …). Never a secret or a full number. */
  code: string;
  /** One sentence a person can act on. */
  hint: string;
  /** The platform has not looked at it: it is down, or the way to it. Says something of the account, not of the message. */
  unreached?: true;
}

export type SendResult =
  { ok: true; platformId: string | null } | { ok: false; failure: SendFailure };
