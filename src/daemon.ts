import { admit, compileAccess, type AccessRules } from "./access/admission.ts";
import { gateCompilerFor, type CompileGate } from "./access/gate.ts";
import { phoneKey } from "./access/identity.ts";
import { createAgent } from "./agent/registry.ts";
import type { Channel, ShowLinking } from "./channels/channel.ts";
import { registerChannels } from "./channels/registry.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { channelReports, sourceOf } from "./control/reports.ts";
import { controlServer } from "./control/server.ts";
import { tellOfAbandoned } from "./conversation/abandoned.ts";
import { replyComposer } from "./conversation/compose.ts";
import { Inbox } from "./conversation/inbox.ts";
import { keepWithinRetention } from "./conversation/keep.ts";
import { hasMediaRoom } from "./conversation/media-room.ts";
import { Outbox } from "./conversation/outbox.ts";
import { messagePreparer } from "./conversation/prepare.ts";
import type { SpeakOptions } from "./conversation/speak.ts";
import { Turns } from "./conversation/turns.ts";
import { gatewayApp, stillStarting } from "./gateway/app.ts";
import { healthOf, sparingly } from "./gateway/health.ts";
import { listen } from "./gateway/listener.ts";
import { addProcessFigures } from "./gateway/process-metrics.ts";
import { createNetwork, type Network } from "./net/fetch.ts";
import { createSpeech } from "./speech/configured.ts";
import { buildInfo } from "./runtime/build-info.ts";
import { sleep, type Clock } from "./runtime/clock.ts";
import { makeHome } from "./runtime/home.ts";
import { releaseMemoryAtRest } from "./runtime/memory.ts";
import { onceLoaded } from "./runtime/once.ts";
import { sourceKey, type ConversationStore, type Source } from "./store/contract.ts";
import { toStoreError } from "./store/database.ts";
import { openStore } from "./store/sqlite.ts";
import { Alarms } from "./telemetry/alarms.ts";
import type { Logger } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";

/** How long running turns and requests may take to end at a stop, ms; together under ten seconds. */
const TURN_GRACE = 5_000;
const SEND_GRACE = 2_000;
const REQUEST_GRACE = 1_000;
/** Messages of one chat that may wait; beyond it the platform is asked to come again. */
const MAX_PENDING_PER_CHAT = 1_000;

export interface DaemonOptions {
  loaded: LoadedConfig;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
  /** Shows a QR or pair code to the person at the terminal. */
  showLinking?: ShowLinking;
}

export interface Daemon {
  /** Such as `http://127.0.0.1:42617`. */
  address: string;
  /** Accepts nothing more, lets turns and requests end, parks the rest. */
  stop(): Promise<void>;
}

/** Wires the parts and runs them. Rejects with an error that says what to do where it cannot start. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { clock, log, env } = options;
  const { config, paths } = options.loaded;
  makeHome(paths.home);
  const metrics = createMetrics();
  const alarms = new Alarms(clock, log);
  const { store, movedAside } = openStore({
    path: paths.store,
    clock,
    phoneKey: (phone) => phoneKey(phone) ?? phone,
  });
  if (movedAside) {
    const hint = `The store was damaged and was moved to ${movedAside}; a new one was begun.`;
    alarms.raise("store.damaged", "damaged", hint);
  }

  const network = createNetwork({ config, env, log });
  const { channels, skipped } = await registerChannels({
    config,
    appSecret: config.channels_config.whatsapp?.app_secret ?? null,
    network,
    env,
    clock,
    log,
    metrics,
    whatsappWeb: buildInfo.variant === "whatsapp-web",
    ...(options.showLinking ? { showLinking: options.showLinking } : {}),
  });
  await continueAccounts(channels, store, log);
  const byKey = new Map(channels.map((channel) => [sourceKey(sourceOf(channel)), channel]));
  const channelOf = (source: Source) => byKey.get(sourceKey(source));
  const fetchFor = (service: string) => network.fetchFor(service);
  const agent = await createAgent({ config, env, fetchFor, log, clock });
  const mediaFolder = paths.media;
  const maxMediaBytes = config.store.max_media_bytes;

  const outbox = new Outbox({
    store,
    channelOf,
    clock,
    random: Math.random,
    log,
    metrics,
    alarms,
  });
  const { synthesizer, transcriber } = await createSpeech({ config, env, network, clock, log });
  const keep = (messageId: number, file: { path: string; bytes: number }) =>
    store.addAttachments(messageId, [file]);
  const speak = synthesizer && (await speakerOf({ mediaFolder, synthesizer, keep, log }));
  const turns = new Turns({
    store,
    channelOf,
    work: {
      store,
      agent,
      prepare: messagePreparer({
        store,
        mediaFolder,
        maxMediaBytes,
        alarms,
        transcriber,
        clock,
        log,
      }),
      compose: replyComposer({ mediaFolder, mediaDir: config.agent?.media_dir ?? null, keep }),
      ...(speak ? { speak } : {}),
      timeoutMs: config.channels_config.message_timeout_secs * 1000,
      maxHistory: config.agent?.max_history_messages ?? 40,
      systemPrompt: config.agent?.system_prompt ?? null,
      failureReply: config.channels_config.failure_reply,
      clock,
      log,
      alarms,
    },
    debounceMs: config.channels_config.debounce_ms,
    maxConcurrent: config.agent?.max_concurrent_turns ?? 8,
    clock,
    log,
    metrics,
    alarms,
    finish: (turn) => outbox.finish(turn),
    onDeliveries: (chat) => outbox.wake(chat),
  });
  const inbox = new Inbox({
    store,
    limits: {
      maxPendingMessages: config.store.max_pending_messages,
      maxPendingBytes: config.store.max_pending_bytes,
      maxPendingPerChat: MAX_PENDING_PER_CHAT,
    },
    clock,
    log,
    metrics,
    alarms,
    pauseAfter: (failure, attempts) => outbox.pauseAfter(failure, attempts),
    onMessages: (chat) => turns.wake(chat),
    onMoved: ({ chat, delivery, failure }) => {
      if (failure) outbox.failedLater(chat, delivery, failure);
      else outbox.confirmedLater(chat, delivery);
    },
  });

  const reports = () => channelReports({ channels, skipped, store, outbox });
  const checkStore = sparingly(
    () =>
      store.checkWritable().then(
        () => alarms.clear("store"),
        (error: unknown) => {
          const { problem, message } = toStoreError(error);
          alarms.raise("store", problem, `The store cannot be written: ${message}`);
        },
      ),
    clock,
  );
  const app = gatewayApp({
    pathPrefix: config.gateway.path_prefix,
    channels,
    metricsToken: config.gateway.metrics_token ?? null,
    health: async () => {
      await checkStore();
      return healthOf(reports(), alarms.list());
    },
    metrics: () => metrics.text(),
    log,
  });
  let started = false;
  let listener;
  try {
    listener = await listen({
      config: config.gateway,
      handle: (request, peer) => (started ? app.fetch(request, { peer }) : stillStarting()),
      clock,
      log,
    });
  } catch (error) {
    store.close();
    throw error;
  }
  const { address } = listener;
  const tunnel = await createTunnel(options, network, listener.port);
  tunnel?.onChange(() => {
    const { state, reason } = tunnel.status();
    if (state === "down") alarms.raise("tunnel", "down", `The tunnel is down: ${reason ?? ""}`);
    else if (state === "up") alarms.clear("tunnel");
  });
  const startedAt = performance.now();
  const operator = onceLoaded(async () => {
    const { operator, editedConfig } = await import("./control/operator.ts");
    return operator({
      version: buildInfo.version,
      variant: buildInfo.variant,
      configPath: editedConfig(options.loaded.path, options.env),
      channels,
      skipped,
      store,
      checkStore,
      outbox,
      turns,
      alarms,
      metrics,
      clock,
      uptime: () => performance.now() - startedAt,
      gateway: () => ({
        address,
        publicUrl: tunnel?.publicUrl() ?? config.gateway.public_url ?? null,
      }),
    });
  });
  const control = await controlServer(paths.socket, operator);
  addProcessFigures({ metrics, store, reports, turns, clock });
  const stopKeeping = keepWithinRetention({
    store,
    running: channels.map(sourceOf),
    mediaFolder,
    retentionDays: config.store.retention_days,
    filesWent: () => void hasMediaRoom({ store, maxMediaBytes, alarms }),
    clock,
    log,
  });

  const stopReleasing = releaseMemoryAtRest({ clock });

  tellOfAbandoned({ store, channelOf, alarms });
  outbox.start();
  turns.start();
  const compileGate = await gateCompilerFor(config.channels_config.whatsapp);
  for (const channel of channels) {
    channel.onStatus(() => outbox.channelChanged(sourceOf(channel)));
    const rules = accessOf(channel, config, compileGate, log);
    await channel.start(
      inbox.receiver(sourceOf(channel), (message) => admit(message, rules, clock.now())),
    );
  }
  started = true;
  tunnel?.start();
  log.info({ address, channels: channels.map((channel) => channel.backend) }, "revka is running");

  return {
    address,
    async stop() {
      inbox.stop();
      const grace = sleep(clock, REQUEST_GRACE);
      stopKeeping();
      stopReleasing();
      const drained = async () => {
        await turns.drain(TURN_GRACE);
        // Before the channels: one that is stopped sends nothing more.
        await outbox.drain(SEND_GRACE);
        await Promise.all(channels.map((channel) => channel.stop()));
      };
      // A tunnel tool may take seconds of its own to end.
      await Promise.all([drained(), tunnel?.stop()]);
      // What was taken in before may still be on its way to the disk.
      await Promise.race([listener.stop(false), grace]);
      await listener.stop(true);
      await control.stop(true);
      await network.close();
      store.close();
    },
  };
}

/** An account that the config names otherwise than before is the same: what waits, or is known, is not lost. */
async function continueAccounts(channels: Channel[], store: ConversationStore, log: Logger) {
  for (const channel of channels) {
    const { wasAccount, account } = channel;
    const former = wasAccount && (await store.renameAccount(sourceOf(channel), wasAccount));
    if (!former) continue;
    log.warn(
      { channel: channel.name, former, account },
      "the config names the account otherwise than before: what is stored of the former goes on under the new name",
    );
  }
}

async function speakerOf(options: SpeakOptions) {
  const { replySpeaker } = await import("./conversation/speak.ts");
  return replySpeaker(options);
}

async function createTunnel(options: DaemonOptions, network: Network, port: number) {
  const { env, log, clock } = options;
  const { tunnel, gateway } = options.loaded.config;
  if (!tunnel || tunnel.provider === "none") return null;
  const { createTunnel } = await import("./tunnel/tunnel.ts");
  const fetch = network.fetchFor("tunnel");
  const listening = { host: gateway.host, port, tls: gateway.tls.enabled };
  return createTunnel({ config: tunnel, gateway: listening, env, log, clock, fetch });
}

function accessOf(
  channel: Channel,
  config: Config,
  compileGate: CompileGate,
  log: Logger,
): AccessRules {
  const { whatsapp, wati } = config.channels_config;
  const rules =
    channel.backend === "wati"
      ? wati && compileAccess({ backend: "wati", config: wati }, compileGate)
      : whatsapp && compileAccess({ backend: channel.backend, config: whatsapp }, compileGate);
  if (!rules) throw new Error(`the channel ${channel.name} runs without its configuration`);
  for (const notice of rules.notices) {
    const fields = { key: notice.key };
    if (notice.level === "error") log.error(fields, notice.message);
    else log.warn(fields, notice.message);
  }
  return rules;
}
