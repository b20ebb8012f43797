import type { WhatsAppConfig } from "../../config/schema.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ShowLinking } from "../channel.ts";
import type { Logger } from "../../telemetry/log.ts";

/** What WhatsApp Web needs of the house. */
export interface WhatsAppWebOptions {
  /** `session_path` absolute, without `~`. */
  config: WhatsAppConfig;
  readReceipts: boolean;
  typing: boolean;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
  /** The proxy of this channel, credentials included; null for the direct way. */
  proxyUrl: string | null;
  /** For media and the version: bound to the same proxy. */
  fetch: Fetch;
  /** Where a QR or pair code is shown to the person at the terminal. */
  showLinking?: ShowLinking;
  random?: () => number;
}
