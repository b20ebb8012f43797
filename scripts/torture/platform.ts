import type { AcceptedSend } from "./ledger.ts";
import type { StoreState } from "./store-state.ts";

/** How a platform tells a daemon of messages. */
export interface Webhooks {
  /** Where, on the daemon. */
  path: string;
  /** Most messages in one body. */
  batch: number;
  /** One text or more of a customer (number in digits): their ids, and each body that tells of all of them. */
  compose(phone: string, texts: readonly string[]): { ids: string[]; bodies: Uint8Array[] };
  headers(body: Uint8Array): Record<string, string>;
}

/** A stand-in that outlives the daemon. */
export interface Platform {
  /** On loopback. */
  url: string;
  webhooks: Webhooks;
  /** `[channels_config]` of a daemon that finds it at `url`. */
  channels(url: string): Record<string, unknown>;
  /** Accepts, and answers so late from now on, ms; null: at once. */
  answerAfter(ms: number | null): Promise<void>;
  /** What it took, in order; `store` is what the daemon left behind. */
  accepted(store: StoreState): Promise<AcceptedSend[]>;
  /** Resolves when it has nothing more to tell. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface PlatformOptions {
  seed: number;
  faults: PlatformFaults;
  /** The daemon's base URL. */
  daemon: string;
  statusGraceSecs: number;
}

/** Chances of a platform's faults during the whole run. */
export interface PlatformFaults {
  /** Accepted, and the connection closed instead of an answer. */
  loseAnswer: number;
  /** The connection closed before anything was accepted. */
  drop: number;
  statuses: boolean;
}
