import type { Channel } from "../channels/channel.ts";
import { otherNumber, type ChannelName } from "../channels/message.ts";
import type { Outbox } from "../conversation/outbox.ts";
import type { Turns } from "../conversation/turns.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import { newId } from "../runtime/ids.ts";
import type { ConversationStore, StoredChat, StoredDelivery } from "../store/contract.ts";
import { toStoreError } from "../store/database.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import {
  ControlError,
  type ControlApi,
  type SendReport,
  type SendRequest,
  type StatusReport,
} from "./api.ts";
import { nameOf, recipientOn } from "./recipient.ts";
import { channelReports, sourceOf } from "./reports.ts";

export { editedConfig } from "./edited-config.ts";

/** The platform lets a business write freely for so long after a person's last message, ms. */
const WINDOW = 24 * 60 * 60 * 1000;
/** The source of an alarm that ends with the next status that could be read. */
const unreadable = "store.read";
/** Failed deliveries a status shows. */
const SHOWN_FAILURES = 20;

export interface OperatorOptions {
  version: string;
  variant: "default" | "whatsapp-web";
  configPath: string;
  channels: Channel[];
  skipped: { channel: ChannelName; reason: string }[];
  store: ConversationStore;
  /** Looks whether the store can be written, and raises or clears its alarm. Never rejects. */
  checkStore(): Promise<void>;
  outbox: Outbox;
  turns: Turns;
  alarms: Alarms;
  metrics: Metrics;
  clock: Clock;
  gateway(): { address: string | null; publicUrl: string | null };
  /** Of the daemon, ms; a clock that is set changes nothing of it. */
  uptime(): number;
}

/** What an operator may see and do while the daemon runs. */
export function operator(options: OperatorOptions): ControlApi {
  const { store } = options;
  const chatOf = async (name: string, channel?: ChannelName): Promise<StoredChat> => {
    const chosen = chooseChannel(options.channels, channel);
    const id = await store.openChat(sourceOf(chosen), recipientOn(chosen, name));
    const chat = store.chat(id);
    if (!chat) throw new ControlError(404, `there is no chat ${name}`);
    return chat;
  };
  return {
    async status() {
      await options.checkStore();
      const { alarms } = options;
      let report;
      try {
        report = statusReport(options, store);
        alarms.clear(unreadable);
      } catch (error) {
        const { problem, message } = toStoreError(error);
        alarms.raise(unreadable, problem, `The store cannot be read: ${message}; see revka doctor`);
        report = statusReport(options, nothing);
      }
      return { ...report, alarms: shownAlarms(alarms) };
    },
    send: (request) => send(options, request, chatOf),
    async pause(request) {
      const chat = await chatOf(request.chat, request.channel);
      return { changed: await store.setPaused(chat.id, true) };
    },
    async resume(request) {
      const chat = await chatOf(request.chat, request.channel);
      const changed = await store.setPaused(chat.id, false);
      options.turns.wake(chat.id);
      return { changed };
    },
    async redeliver(id) {
      const delivery = store.delivery(id);
      if (!delivery || !(await store.redeliver(id))) {
        throw new ControlError(404, `there is no failed delivery ${id}: see revka status`);
      }
      options.outbox.wake(delivery.chat);
    },
    async relink() {
      const web = options.channels.find((channel) => channel.relink);
      if (!web?.relink) {
        throw new ControlError(
          409,
          "no WhatsApp Web channel is running, so nothing can be linked: set session_path in [channels_config.whatsapp] and use the whatsapp-web variant",
        );
      }
      await web.relink();
    },
  };
}

/** What a status reads of the store. */
type Readable = Pick<
  ConversationStore,
  "counts" | "failedDeliveries" | "chat" | "pausedChats" | "closedWindows" | "sources"
>;

const nothing: Readable = {
  counts: () => ({
    pendingMessages: 0,
    pendingBytes: 0,
    oldestPendingAt: null,
    openDeliveries: 0,
    oldestOpenDeliveryAt: null,
    failedDeliveries: 0,
  }),
  failedDeliveries: () => [],
  chat: () => null,
  pausedChats: () => [],
  closedWindows: () => 0,
  sources: () => [],
};

function statusReport(options: OperatorOptions, store: Readable): Omit<StatusReport, "alarms"> {
  const { clock, metrics } = options;
  const now = clock.now();
  const counts = store.counts();
  const age = (at: number | null) =>
    at === null ? null : Math.max(0, Math.round((now - at) / 1000));
  const ignored = metrics.eventsIgnored.get().values;
  const refusals = [
    ...metrics.refusals.get().values,
    ...ignored.filter(({ labels }) => labels.reason === otherNumber),
  ];
  const gateway = options.gateway();
  return {
    version: options.version,
    variant: options.variant,
    config_path: options.configPath,
    daemon: {
      running: true,
      pid: process.pid,
      uptime_seconds: Math.round(options.uptime() / 1000),
    },
    channels: channelReports({ ...options, store }),
    inbox: {
      pending: counts.pendingMessages,
      oldest_age_seconds: age(counts.oldestPendingAt),
    },
    outbox: {
      pending: counts.openDeliveries,
      failed: counts.failedDeliveries,
      unconfirmed: options.outbox.unconfirmed,
      oldest_age_seconds: age(counts.oldestOpenDeliveryAt),
    },
    turns: { running: options.turns.running },
    refusals: refusals.map(({ labels, value }) => ({
      channel: String(labels.channel ?? ""),
      reason: String(labels.reason ?? ""),
      count: value,
    })),
    failed_deliveries: store.failedDeliveries(SHOWN_FAILURES).map((delivery) => {
      const chat = store.chat(delivery.chat);
      return {
        id: delivery.id,
        channel: chat?.source.channel ?? "whatsapp",
        chat_id: chat && nameOf(chat.chat),
        at: new Date(delivery.updatedAt).toISOString(),
        code: delivery.code ?? "failed",
        hint: delivery.hint ?? "",
      };
    }),
    paused_chats: store
      .pausedChats()
      .map((chat) => ({ channel: chat.source.channel, chat_id: nameOf(chat.chat) })),
    closed_windows: store.closedWindows(now - WINDOW),
    gateway: { address: gateway.address, public_url: gateway.publicUrl },
  };
}

function shownAlarms(alarms: Alarms): StatusReport["alarms"] {
  return alarms.list().map(({ since, source, code, hint }) => ({
    since: new Date(since).toISOString(),
    source,
    code,
    hint,
  }));
}

async function send(
  options: OperatorOptions,
  request: SendRequest,
  chatOf: (name: string, channel?: ChannelName) => Promise<StoredChat>,
): Promise<SendReport> {
  const { store, clock } = options;
  const channel = chooseChannel(options.channels, request.channel);
  const chat = await chatOf(request.to, channel.name);
  const deliveries = channel.renderText(request.text).map((text) => ({
    id: newId(clock.now()),
    content: { kind: "text" as const, text, quote: null },
  }));
  if (deliveries.length === 0) throw new ControlError(400, "the text is empty");
  options.outbox.wake(await store.enqueue(chat.id, deliveries));
  const ids = deliveries.map((delivery) => delivery.id);
  const reports = await waitFor(store, clock, ids, request.wait_ms ?? 0);
  const status = channel.status();
  const unready = status.state === "ready" ? null : { code: status.state, hint: status.reason };
  const first = store.openDelivery(chat.id);
  const behind = first?.state === "sending" && !ids.includes(first.id) ? unanswered : null;
  const why = options.outbox.heldBy(sourceOf(channel)) ?? unready ?? behind;
  const explained = reports.map((report) =>
    why && report.state === "pending" && report.hint === null
      ? { ...report, code: why.code, hint: why.hint }
      : report,
  );
  return { deliveries: explained, window_warning: windowWarning(channel, chat, clock.now()) };
}

const unanswered = {
  code: "unconfirmed",
  hint: "an earlier message of this chat has no answer yet, and comes first",
};

/** How often the state of a delivery is looked at while an operator waits, ms. */
const LOOK = 25;

async function waitFor(
  store: ConversationStore,
  clock: Clock,
  ids: string[],
  waitMs: number,
): Promise<SendReport["deliveries"]> {
  const until = clock.now() + waitMs;
  for (;;) {
    const found = ids.map((id) => store.delivery(id)).filter((delivery) => delivery !== null);
    const open = found.some((entry) => entry.state === "pending" || entry.state === "sending");
    if (!open || clock.now() >= until) return found.map(reportOf);
    await sleep(clock, LOOK);
  }
}

function reportOf(delivery: StoredDelivery): SendReport["deliveries"][number] {
  return {
    id: delivery.id,
    state: delivery.state,
    platform_id: delivery.platformId,
    code: delivery.code,
    hint: delivery.hint,
  };
}

/** Web has no window. Outside it, Meta refuses everything but templates (131047). */
function windowWarning(channel: Channel, chat: StoredChat, now: number): string | null {
  if (channel.backend === "web" || chat.chat.kind === "group") return null;
  if (chat.lastInboundAt !== null && now - chat.lastInboundAt < WINDOW) return null;
  const [since, until] =
    chat.lastInboundAt === null
      ? ["this person has not written to Revka yet", "they do"]
      : ["this person last wrote over 24 hours ago", "they write again"];
  return `${since}: WhatsApp refuses ordinary messages (131047) until ${until}`;
}

function chooseChannel(channels: Channel[], name: ChannelName | undefined): Channel {
  const found = name ? channels.find((channel) => channel.name === name) : channels[0];
  if (!found) {
    throw new ControlError(
      404,
      name ? `the channel ${name} is not running` : "no channel is running",
    );
  }
  if (!name && channels.length > 1) {
    const names = channels.map((channel) => channel.name).join(" and ");
    throw new ControlError(400, `${names} are running: say which with --channel`);
  }
  return found;
}
