import {
  type BinaryNode,
  type WASocket,
  decryptMediaRetryData,
  encryptMediaRetryRequest,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  proto,
} from "@whiskeysockets/baileys";
import * as v from "valibot";
import { DownloadFailure } from "../../net/download.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Newest } from "../../runtime/newest.ts";
import type { Logger } from "../../telemetry/log.ts";
import { endOfId } from "../../telemetry/message-id.ts";
import type { MediaReference } from "../message.ts";
import { Allowance } from "./allowance.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { isSameChat, isSelf } from "./identity.ts";
import { DeadlineExceeded, within } from "./patience.ts";
import type { Session } from "./session.ts";

/** The phone has to wake up and upload the file; a person waits meanwhile. */
const ANSWER_MS = 30_000;
/** As long once it has let an answer lapse, until it gives one: it may be off, and a backlog full of such files. */
const SHORT_MS = 5_000;
/** Files that the phone is asked for at once. */
const MOST_WAITING = 100;
/** Files of one sender at once, and then one in so long: who sends may see to it that each is gone, and has it uploaded. */
const OF_SENDER = { atOnce: 30, oneMoreMs: 60_000, most: 1000 };
/** What was answered counts for a turn that begins anew. */
const ANSWER_COUNTS_MS = 3_600_000;
const MOST_ANSWERS = 1000;
const LARGEST_ANSWER = 8 * 1024;
const LONGEST_PATH = 2048;
const IV_BYTES = 12;

const { SUCCESS, NOT_FOUND } = proto.MediaRetryNotification.ResultType;

const ASKED = "WhatsApp no longer has a file; the phone was asked to upload it again";

/** A file that the phone can be asked for. */
export interface Retryable {
  /** Its message, as the phone names it. */
  key: { id: string; remoteJid: string; fromMe: boolean; participant: string | null };
  mediaKey: Buffer;
}

/** Where the file lies now, or why nowhere: half a sentence. */
export type RetryAnswer = { directPath: string } | { failure: string };

const sourceSchema = v.object({
  mediaKey: v.string(),
  messageId: v.string(),
  chat: v.string(),
  fromMe: v.boolean(),
  participant: v.nullable(v.string()),
});

/** The file with its message, as the phone names it. */
export function withMessage(media: MediaReference, key: proto.IMessageKey): MediaReference {
  const message = {
    messageId: key.id ?? null,
    chat: key.remoteJid ?? null,
    fromMe: key.fromMe ?? false,
    participant: key.participant ?? null,
  };
  return { ...media, source: { ...media.source, ...message } };
}

/** Null where the file does not say what message it is of. */
export function retryableOf({ source }: MediaReference): Retryable | null {
  const parsed = v.safeParse(sourceSchema, source);
  if (!parsed.success) return null;
  const { mediaKey, messageId, chat, fromMe, participant } = parsed.output;
  return {
    key: { id: messageId, remoteJid: chat, fromMe, participant },
    mediaKey: Buffer.from(mediaKey, "base64"),
  };
}

/**
 * What a `mediaretry` notification says of this file; null where it is about another, or nobody's word. Sources:
 * whatsmeow `mediaretry.go`, Baileys `messages-media.js` (decodeMediaRetryNode).
 */
export function readRetryAnswer(
  node: BinaryNode,
  { key, mediaKey }: Retryable,
  { self, mappings }: Pick<Session, "self" | "mappings">,
): RetryAnswer | null {
  if (node.attrs.id !== key.id) return null;
  const error = getBinaryNodeChild(node, "error");
  if (error) {
    // Not encrypted: the stanza alone says whose word it is.
    const chat = getBinaryNodeChild(node, "rmr")?.attrs.jid ?? "";
    const ours = isSelf(node.attrs.from, self) && isSameChat(chat, key.remoteJid, self, mappings);
    return ours ? refused(Number(error.attrs.code)) : null;
  }
  const encrypted = getBinaryNodeChild(node, "encrypt");
  const ciphertext = getBinaryNodeChildBuffer(encrypted, "enc_p");
  const iv = getBinaryNodeChildBuffer(encrypted, "enc_iv");
  if (!ciphertext || ciphertext.length > LARGEST_ANSWER) return null;
  if (iv?.length !== IV_BYTES) return null;
  try {
    const { result, directPath } = decryptMediaRetryData({ ciphertext, iv }, mediaKey, key.id);
    const uploaded = result === SUCCESS && directPath && directPath.length <= LONGEST_PATH;
    return uploaded ? { directPath } : refused(result);
  } catch {
    // Of somebody without the file's key.
    return null;
  }
}

function refused(result: unknown): RetryAnswer {
  const failure =
    result === NOT_FOUND
      ? "the phone does not have the file either"
      : "the phone could not upload the file again";
  return { failure };
}

interface Waiting {
  file: Retryable;
  resolve: (answer: RetryAnswer) => void;
  reject: (error: unknown) => void;
}

/**
 * Asks the account's phone to upload files again that are gone from WhatsApp's servers: each once, as long as its answer
 * is remembered.
 */
export class MediaRetries {
  private readonly waiting = new Set<Waiting>();
  private readonly answers: BoundedCache<RetryAnswer>;
  /** What the phone let lapse, by name: it may answer yet. */
  private readonly lapsed = new Newest<Retryable>(MOST_WAITING);
  private readonly allowance: Allowance;
  private silent = false;

  constructor(private readonly options: { clock: Clock; log: Logger }) {
    const { clock } = options;
    this.allowance = new Allowance({ clock, ...OF_SENDER });
    this.answers = new BoundedCache({ clock, most: MOST_ANSWERS, ttlMs: ANSWER_COUNTS_MS });
  }

  /** Rejects with the signal's reason, or a {@link DownloadFailure} that may pass where the connection is lost. */
  async ask(sock: WASocket, file: Retryable, signal: AbortSignal): Promise<RetryAnswer> {
    const name = JSON.stringify(file.key);
    const known = this.answers.get(name);
    if (known) return known;
    if (this.waiting.size >= MOST_WAITING) {
      return { failure: "the phone is asked for too many files already" };
    }
    if (!this.allowance.take(file.key.participant ?? file.key.remoteJid)) {
      return { failure: "the phone was asked for too many files of this sender already" };
    }
    const answer = await this.answerTo(sock, file, signal).catch((error: unknown) => {
      if (!(error instanceof DeadlineExceeded)) throw error;
      this.silent = true;
      this.lapsed.set(name, file);
      return { failure: "the phone did not upload the file again in time" };
    });
    this.answers.set(name, answer);
    return answer;
  }

  /** A `mediaretry` notification came. */
  hear(node: BinaryNode, session: Pick<Session, "self" | "mappings">): void {
    for (const { file, resolve } of this.waiting) {
      const answer = readRetryAnswer(node, file, session);
      if (!answer) continue;
      this.silent = false;
      resolve(answer);
    }
    for (const [name, file] of this.lapsed) {
      const answer = readRetryAnswer(node, file, session);
      if (!answer) continue;
      this.silent = false;
      this.lapsed.delete(name);
      this.answers.set(name, answer);
    }
  }

  /** The connection ended: what is answered now nobody hears. */
  lose(): void {
    for (const { reject } of this.waiting) reject(lost());
  }

  private async answerTo(
    sock: WASocket,
    file: Retryable,
    signal: AbortSignal,
  ): Promise<RetryAnswer> {
    const { clock, log } = this.options;
    const { promise, resolve, reject } = Promise.withResolvers<RetryAnswer>();
    const waiting = { file, resolve, reject };
    this.waiting.add(waiting);
    try {
      const me = sock.authState.creds.me?.id ?? "";
      const request = encryptMediaRetryRequest(file.key, file.mediaKey, me);
      const asked = () => log.info({ id: endOfId(file.key.id) }, ASKED);
      sock.sendNode(request).then(asked, () => reject(lost()));
      return await within(clock, this.silent ? SHORT_MS : ANSWER_MS, promise, signal);
    } finally {
      this.waiting.delete(waiting);
    }
  }
}

function lost(): DownloadFailure {
  const why = "the connection to WhatsApp was lost before the phone uploaded the file again";
  return new DownloadFailure("network", why);
}
