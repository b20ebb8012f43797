import { proto } from "@whiskeysockets/baileys";
import * as v from "valibot";
import type { Logger } from "../../telemetry/log.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Self } from "./identity.ts";
import { digestOf } from "./journal.ts";
import { jsonOf } from "./key-store.ts";
import type { EncryptedFile } from "./media-download.ts";
import { type DecryptedStanza, joinContent } from "./payload.ts";
import { isOwnPhone } from "./resent.ts";

/** Bytes of a chunk as it is downloaded. Phones send a few MB at a time. */
export const LARGEST_CHUNK = 16 * 1024 * 1024;
/** Of one that comes within the message, and is kept whole until it is read. */
const LARGEST_WITHIN = 512 * 1024;
/** Of one link: the chats of the last weeks come first, and of older ones no token is valid any more. */
const MOST_CHUNKS = 16;
const MOST_BYTES = 64 * 1024 * 1024;
/** What is older is not taken up again after a restart: numbers may have changed hands since. */
const STALE_MS = 24 * 3_600_000;
/** Counted before each, so that what ends the daemon does not end it for ever. */
const MOST_TRIES = 5;
const LONGEST_PATH = 2048;
const KEY_BYTES = 32;
/** An entry of the session. */
const CHUNKS = { type: "history", id: "chunks" };

const { HISTORY_SYNC_NOTIFICATION } = proto.Message.ProtocolMessage.Type;
const { INITIAL_BOOTSTRAP, RECENT } = proto.Message.HistorySyncType;

/** What is said where a chunk is not read. */
export const UNREAD =
  "a part of the phone's history was not read: WhatsApp may refuse answers to the people in it until they write";

/** A part of the phone's history. */
export interface HistoryChunk {
  /** On WhatsApp's servers; of one that came within the message, its digest. */
  directPath: string;
  /** Base64, as in {@link EncryptedFile}. */
  mediaKey: string;
  fileEncSha256: string | null;
  /** Of the file without its encryption, compressed. */
  bytes: number;
  /** The file itself where it came within the message: compressed, base64. */
  within?: string | undefined;
}

const waitingSchema = v.object({
  directPath: v.string(),
  within: v.optional(v.string()),
  mediaKey: v.string(),
  fileEncSha256: v.nullable(v.string()),
  bytes: v.number(),
  at: v.number(),
  tries: v.number(),
});
export type WaitingChunk = v.InferOutput<typeof waitingSchema>;

const heldSchema = v.object({
  /** Of this link, those included that are read. */
  chunks: v.number(),
  bytes: v.number(),
  waiting: v.array(waitingSchema),
});
type Held = v.InferOutput<typeof heldSchema>;
const NOTHING: Held = { chunks: 0, bytes: 0, waiting: [] };

/**
 * The chunk that a stanza of the account's own phone tells of; null where it tells of none that may say who trusts the
 * account: tokens stand with the latest chats.
 */
export function chunkIn(
  { attributes, plaintexts }: DecryptedStanza,
  self: Self,
): HistoryChunk | null {
  if (!isOwnPhone(attributes.from, self)) return null;
  const content = joinContent(plaintexts)?.protocolMessage;
  const notification = content?.historySyncNotification;
  if (content?.type !== HISTORY_SYNC_NOTIFICATION || !notification) return null;
  const { syncType, directPath, mediaKey, fileEncSha256, fileLength } = notification;
  const { initialHistBootstrapInlinePayload: within } = notification;
  if (within?.length) return chunkOf(within);
  if (syncType !== INITIAL_BOOTSTRAP && syncType !== RECENT) return null;
  if (!directPath || directPath.length > LONGEST_PATH || mediaKey?.length !== KEY_BYTES)
    return null;
  return {
    directPath,
    mediaKey: Buffer.from(mediaKey).toString("base64"),
    fileEncSha256: fileEncSha256?.length ? Buffer.from(fileEncSha256).toString("base64") : null,
    bytes: Number(fileLength ?? 0) || LARGEST_CHUNK,
  };
}

function chunkOf(file: Uint8Array): HistoryChunk {
  return {
    directPath: digestOf(file),
    mediaKey: "",
    fileEncSha256: null,
    bytes: file.length,
    within: Buffer.from(file).toString("base64"),
  };
}

/** What a stanza says of the history is kept with its end in the journal. No message waits for that, nor fails by it. */
export function noteHistory(
  stanza: DecryptedStanza,
  { self, history }: { self: Self; history: HistoryChunks },
  now: number,
  log: Logger,
): void {
  try {
    const chunk = chunkIn(stanza, self);
    const error = chunk && history.keep(chunk, now);
    if (error) log.warn({ error }, UNREAD);
  } catch {
    log.warn({ error: "the session could not be read" }, UNREAD);
  }
}

export function fileOf({ directPath, mediaKey, fileEncSha256 }: HistoryChunk): EncryptedFile {
  return { kind: "history", url: null, directPath, mediaKey, fileEncSha256 };
}

/** The chunks of the phone's history that are still to be read, in the session, so that a restart loses none. */
export class HistoryChunks {
  /** There is one more. */
  onKept: () => void = () => {};

  constructor(private readonly commit: GroupCommit) {}

  /**
   * On disk with what is written next. Answers why not, half a sentence, where it is not to be read: too large by
   * itself, or with those before.
   */
  keep(chunk: HistoryChunk, now: number): string | null {
    if (chunk.bytes > (chunk.within ? LARGEST_WITHIN : LARGEST_CHUNK))
      return `it has ${chunk.bytes} bytes`;
    const { chunks, bytes, waiting } = this.held;
    if (waiting.some(({ directPath }) => directPath === chunk.directPath)) return null;
    if (chunks >= MOST_CHUNKS) return `it is one of more than ${MOST_CHUNKS}`;
    if (bytes + chunk.bytes > MOST_BYTES)
      return `with those before it has more than ${MOST_BYTES} bytes`;
    this.hold({
      chunks: chunks + 1,
      bytes: bytes + chunk.bytes,
      waiting: [...waiting, { ...chunk, at: now, tries: 0 }],
    });
    this.onKept();
    return null;
  }

  /** Those that are too old, or were tried too often, go. Answers how many. */
  expire(now: number): number {
    const { held } = this;
    const waiting = held.waiting.filter(
      ({ at, tries }) => Math.abs(now - at) < STALE_MS && tries < MOST_TRIES,
    );
    const expired = held.waiting.length - waiting.length;
    if (expired > 0) this.hold({ ...held, waiting });
    return expired;
  }

  /** The one to be read first. */
  next(): WaitingChunk | undefined {
    return this.held.waiting[0];
  }

  /** It is tried, and those behind it come first from now on. Resolves once that is on disk. Answers whether it may be tried again. */
  async begin({ directPath, tries }: WaitingChunk): Promise<boolean> {
    const { held } = this;
    const waiting = held.waiting.map((chunk) =>
      chunk.directPath === directPath ? { ...chunk, tries: chunk.tries + 1 } : chunk,
    );
    waiting.sort((one, other) => one.tries - other.tries);
    this.hold({ ...held, waiting });
    await this.commit.written();
    return tries + 1 < MOST_TRIES;
  }

  /** It was read, or is not to be. */
  drop({ directPath }: HistoryChunk): void {
    const { held } = this;
    const waiting = held.waiting.filter((chunk) => chunk.directPath !== directPath);
    this.hold({ ...held, waiting });
  }

  private get held(): Held {
    const json = this.commit.get(CHUNKS.type, CHUNKS.id);
    return json === undefined ? NOTHING : v.parse(heldSchema, JSON.parse(jsonOf(json)));
  }

  private hold(held: Held): void {
    const change = { ...CHUNKS, held: JSON.stringify(held) };
    this.commit.stage({ changes: [change], alongside: [] });
  }
}
