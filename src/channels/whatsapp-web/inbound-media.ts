import type { WASocket } from "@whiskeysockets/baileys";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { MediaStream } from "../channel.ts";
import type { MediaReference } from "../message.ts";
import type { MediaConnections } from "./media-connection.ts";
import { MediaUnavailable, openDownload } from "./media-download.ts";
import { MediaRetries, type RetryAnswer, retryableOf } from "./media-retry.ts";

const NOBODY_TO_ASK: RetryAnswer = {
  failure: "the phone cannot be asked for the file: WhatsApp is not connected",
};

export interface InboundMediaOptions {
  clock: Clock;
  log: Logger;
  fetch: Fetch;
  mediaConnections: MediaConnections;
  /** The socket once logged in; resolves with null where there is none within a moment. */
  ready: (signal: AbortSignal) => Promise<WASocket | null>;
}

/** Opens the files of inbound messages. One that is gone from WhatsApp's servers the phone is asked for. */
export class InboundMedia {
  readonly retries: MediaRetries;

  constructor(private readonly options: InboundMediaOptions) {
    this.retries = new MediaRetries(options);
  }

  async open(media: MediaReference, signal: AbortSignal): Promise<MediaStream> {
    const { fetch, mediaConnections, ready } = this.options;
    const sock = await ready(signal);
    // WhatsApp's own hosts are known without a word of the server's.
    const known = sock && (await mediaConnections.find(sock, signal).catch(() => null));
    const options = { fetch, signal, hosts: known?.hosts ?? [] };
    try {
      return await openDownload(media, options);
    } catch (error) {
      if (!(error instanceof MediaUnavailable && error.gone)) throw error;
      const file = retryableOf(media);
      if (!file) throw error;
      const answer = sock ? await this.retries.ask(sock, file, signal) : NOBODY_TO_ASK;
      if ("failure" in answer) {
        throw new MediaUnavailable(`${error.message}, and ${answer.failure}`);
      }
      const source = { ...media.source, url: null, directPath: answer.directPath };
      return openDownload({ ...media, source }, options);
    }
  }
}
