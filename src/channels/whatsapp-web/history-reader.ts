import type { WASocket } from "@whiskeysockets/baileys";
import { startDeadline } from "../../net/deadline.ts";
import { DownloadFailure } from "../../net/download.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { UNREAD, type WaitingChunk, fileOf } from "./history-chunks.ts";
import { readHistory } from "./history-file.ts";
import { keepFindings } from "./history-trust.ts";
import type { MediaConnections } from "./media-connection.ts";
import { openFile } from "./media-download.ts";
import type { Session } from "./session.ts";

/** For one chunk, by a slow line. */
const CHUNK_MS = 5 * 60_000;
/** Before one that could not be had is tried again. */
export const PAUSE_MS = 90_000;

const READ =
  "a part of the phone's history was read for who trusts this account; its messages were passed over";

export interface HistoryReaderOptions {
  session: Session;
  sock: WASocket;
  fetch: Fetch;
  mediaConnections: MediaConnections;
  clock: Clock;
  log: Logger;
  /** Resolves once what was learnt has been handed over, or was refused. */
  handedOver: () => Promise<void>;
}

/**
 * Reads the chunks of the phone's history over one connection, one after the other: which LID is whose, and who trusts
 * the account. Whatever becomes of a chunk, nothing waits for it.
 */
export class HistoryReader {
  private readonly stopping = new AbortController();
  private running = false;
  private due = false;
  private cancelPause: () => void = () => {};

  constructor(private readonly options: HistoryReaderOptions) {}

  /** Takes up what waits, and from now on what comes. */
  start(): void {
    this.options.session.history.onKept = () => this.run();
    this.run();
  }

  /** What is being read waits for the next connection. */
  stop(): void {
    this.cancelPause();
    this.stopping.abort();
  }

  private run(): void {
    this.cancelPause();
    this.due = true;
    if (this.running) return;
    this.running = true;
    void this.readWhileDue();
  }

  private async readWhileDue(): Promise<void> {
    while (this.due) {
      this.due = false;
      try {
        await this.readAll();
      } catch {
        this.options.log.debug({}, "the session could not be read");
      }
    }
    this.running = false;
  }

  private async readAll(): Promise<void> {
    const { session, clock, log } = this.options;
    const expired = session.history.expire(clock.now());
    if (expired > 0) log.warn({ error: "it waited too long", chunks: expired }, UNREAD);
    while (!this.stopped) {
      const chunk = session.history.next();
      if (!chunk) return;
      const again = await session.history.begin(chunk);
      try {
        await this.read(chunk);
      } catch (error) {
        if (this.stopped) return;
        if (again && error instanceof DownloadFailure && error.mayPass) return this.pause();
        session.history.drop(chunk);
        log.warn({ error: wordsFor(error) }, UNREAD);
      }
    }
  }

  private async read(chunk: WaitingChunk): Promise<void> {
    const { session, sock, clock, log, handedOver } = this.options;
    const deadline = startDeadline(clock, CHUNK_MS, this.stopping.signal);
    const { signal } = deadline;
    try {
      const found = await readHistory(await this.open(chunk, signal), chunk.bytes);
      const rest = async () => {
        await handedOver();
        signal.throwIfAborted();
      };
      const { keys } = sock.authState;
      const learnt = await keepFindings(found, keys, session.mappings, clock.now(), rest);
      if (found.salt) session.firstContact.keepSalt(found.salt);
      await session.commit.written();
      session.history.drop(chunk);
      const salt = found.salt !== null;
      const told = { ...learnt, salt, bytes: chunk.bytes };
      // A new account's phone has nothing to tell.
      if (salt || learnt.lids + learnt.tokens > 0) log.info(told, READ);
      else log.debug(told, READ);
    } finally {
      deadline.cancel();
    }
  }

  private async open(
    chunk: WaitingChunk,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { sock, fetch, mediaConnections } = this.options;
    if (chunk.within) return new Blob([Buffer.from(chunk.within, "base64")]).stream();
    // WhatsApp's own hosts are known without a word of the server's.
    const known = await mediaConnections.find(sock, signal).catch(() => null);
    return openFile(fileOf(chunk), { fetch, signal, hosts: known?.hosts ?? [] });
  }

  private pause(): void {
    this.cancelPause = this.options.clock.after(PAUSE_MS, () => this.run());
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }
}

function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return error.name === "TimeoutError" ? "it took too long" : error.message;
}
