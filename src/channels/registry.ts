import type { Config, WhatsAppConfig } from "../config/schema.ts";
import { selectBackend } from "../config/select.ts";
import type { Network } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Channel, ShowLinking } from "./channel.ts";
import type { ChannelName } from "./message.ts";

declare const REVKA_WHATSAPP_WEB: boolean | undefined;

/** Where WhatsApp Web listens: decides which proxy applies. */
const WEB_SOCKET = "wss://web.whatsapp.com/ws/chat";

export interface RegistryOptions {
  config: Config;
  /** Resolved by precedence: environment over file. */
  appSecret: string | null;
  network: Network;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** Can this build run WhatsApp Web? */
  whatsappWeb: boolean;
  /** Where a QR or pair code is shown to the person at the terminal. */
  showLinking?: ShowLinking;
}

export interface Registered {
  channels: Channel[];
  /** Configured, but not run, with the reason. */
  skipped: { channel: ChannelName; reason: string }[];
}

/** The channels that the configuration selects. What is chosen, and what is not, is logged. */
export async function registerChannels(options: RegistryOptions): Promise<Registered> {
  const { config, log } = options;
  const registered: Registered = { channels: [], skipped: [] };
  const whatsapp = config.channels_config.whatsapp;
  if (whatsapp) {
    const selection = selectBackend(whatsapp, { whatsappWeb: options.whatsappWeb });
    if (selection.kind === "skip") {
      log.warn({ channel: "whatsapp", code: selection.code }, selection.message);
      registered.skipped.push({ channel: "whatsapp", reason: selection.message });
    } else if (selection.kind === "run") {
      if (selection.warning) log.warn({ channel: "whatsapp" }, selection.warning);
      const made = await whatsappChannel(options, whatsapp, selection.backend);
      if (made) registered.channels.push(made);
    }
  }
  const wati = config.channels_config.wati;
  if (wati) {
    const { createWati } = await import("./wati/channel.ts");
    registered.channels.push(
      createWati({
        config: wati,
        clock: options.clock,
        metrics: options.metrics,
        fetch: options.network.fetchFor("channel.wati"),
        log: log.child({ channel: "wati", backend: "wati" }),
      }),
    );
  }
  if (registered.channels.length === 0) {
    log.warn({}, "no channel runs, so no message can come in: see `revka doctor`");
  }
  return registered;
}

async function whatsappChannel(
  options: RegistryOptions,
  config: WhatsAppConfig,
  backend: "cloud" | "web",
): Promise<Channel | null> {
  const log = options.log.child({ channel: "whatsapp", backend });
  const { read_receipts: readReceipts, typing } = options.config.channels_config;
  const common = { readReceipts, typing, clock: options.clock, metrics: options.metrics };
  if (backend === "cloud") {
    const { createWhatsAppCloud } = await import("./whatsapp-cloud/channel.ts");
    return createWhatsAppCloud({
      ...common,
      config,
      appSecret: options.appSecret,
      fetch: options.network.fetchFor("channel.whatsapp"),
      log,
    });
  }
  // The bundler folds the define and drops the import from the default variant.
  if (typeof REVKA_WHATSAPP_WEB === "undefined" || REVKA_WHATSAPP_WEB) {
    const { createWhatsAppWeb } = await import("./whatsapp-web/channel.ts");
    const socket = config.ws_url ?? WEB_SOCKET;
    return createWhatsAppWeb({
      ...common,
      config,
      env: options.env,
      proxyUrl: options.network.proxyUrlFor("channel.whatsapp", socket),
      fetch: options.network.fetchFor("channel.whatsapp"),
      log,
      ...(options.showLinking ? { showLinking: options.showLinking } : {}),
    });
  }
  return null;
}
