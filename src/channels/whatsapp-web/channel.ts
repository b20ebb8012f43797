import type { WASocket } from "@whiskeysockets/baileys";
import type { ProxyBridge } from "../../net/bridge.ts";
import { compileWhatIsHot } from "../../runtime/compiler.ts";
import { proxyTrouble } from "../failure.ts";
import type {
  Channel,
  ChannelStatus,
  Deliver,
  Linking,
  MediaStream,
  TurnFocus,
} from "../channel.ts";
import type { Delivery, MediaReference, SendFailure, SendResult } from "../message.ts";
import { renderText } from "../text.ts";
import { Attention } from "./attention.ts";
import { createCaches } from "./caches.ts";
import { Client, notConnected } from "./client.ts";
import { Connection } from "./connection.ts";
import { InboundMedia } from "./inbound-media.ts";
import { customPairCode, linkingText, pairPhoneDigits } from "./linking.ts";
import { MediaConnections } from "./media-connection.ts";
import type { WhatsAppWebOptions } from "./options.ts";
import { within } from "./patience.ts";
import { Readiness } from "./readiness.ts";
import { SessionError } from "./session-error.ts";
import { SessionPlace } from "./session-place.ts";
import { Ingress } from "./socket.ts";
import { SpeaksAs } from "./speaks-as.ts";
import { openWired } from "./wiring.ts";
import { bundledVersion, currentVersion } from "./version.ts";

const WS_URL = "wss://web.whatsapp.com/ws/chat";
const LOGOUT_MS = 5_000;
/** Less than a connection may take to stand, so that a silent proxy is named. */
const PROXY_MS = 15_000;
const NOT_RUNNING = "the channel is not running";

export type { WhatsAppWebOptions };

/** WhatsApp as a linked device of a phone, on Baileys 7.0.0-rc14. Nothing is opened before {@link Channel.start}. */
export function createWhatsAppWeb(options: WhatsAppWebOptions): Channel {
  return new WhatsAppWeb(options);
}

class WhatsAppWeb implements Channel {
  readonly name = "whatsapp";
  readonly backend = "web";
  readonly account = "default";
  readonly repeat = "same-id";
  readonly renderText = (markdown: string) => renderText(markdown);

  private readonly caches;
  private readonly client: Client;
  private readonly media: InboundMedia;
  private readonly attention: Attention;
  private readonly connection: Connection;
  private readonly readiness: Readiness;
  private readonly place: SessionPlace;
  private readonly listeners: (() => void)[] = [];
  private readonly random: () => number;
  private deliver: Deliver | null = null;
  private ingress: Ingress | null = null;
  private bridge: ProxyBridge | null = null;
  private proxyFailed: (reason: string) => void = () => {};
  private sock: WASocket | undefined;
  /** Why nothing can be opened at all. */
  private trouble: string | null = null;
  private shown: string | null = null;
  /** How many `relink` are under way. */
  private relinks = 0;

  constructor(private readonly options: WhatsAppWebOptions) {
    const { clock, log, config } = options;
    this.random = options.random ?? Math.random;
    this.caches = createCaches(clock);
    this.readiness = new Readiness(clock);
    this.place = new SessionPlace({
      path: config.session_path,
      env: options.env,
      clock,
      log,
      hooks: {
        onReceived: () => this.ingress?.wake(),
        onMappings: (stored) => this.ingress?.learnt(stored),
      },
    });
    const speaksAs = new SpeaksAs(log);
    const files = {
      clock,
      fetch: options.fetch,
      mediaConnections: new MediaConnections(clock),
      ready: (signal: AbortSignal) => this.ready(signal),
    };
    this.client = new Client({
      ...files,
      caches: this.caches,
      session: () => this.place.opened,
      whyNot: () => this.status().reason ?? "not started",
    });
    this.media = new InboundMedia({ ...files, log });
    this.attention = new Attention({
      readReceipts: options.readReceipts,
      typing: options.typing,
      clock,
      session: () => this.place.opened,
      socket: () => (this.connection.status.state === "ready" ? this.sock : undefined),
    });
    const digits = pairPhoneDigits(config.pair_phone);
    this.connection = new Connection({
      clock,
      random: this.random,
      log,
      byCode: digits !== null,
      isLinked: () => this.place.session?.confirmed ?? false,
      onNotLinked: () => this.place.opened.forgetLink(),
      prepare: async () => {
        const session = this.place.opened;
        session.dropUnfinishedLink();
        await speaksAs.tell(session, this.deliver);
      },
      findVersion: (signal) =>
        config.ws_url === undefined
          ? currentVersion({ fetch: options.fetch, clock, log, signal })
          : Promise.resolve(bundledVersion),
      open: (version, events) => {
        this.proxyFailed = events.proxyFailed;
        const session = this.place.opened;
        const ingress = this.ingress;
        if (!ingress) throw new Error(NOT_RUNNING);
        const opened = openWired({
          session,
          ingress,
          acknowledgements: this.client.acknowledgements,
          mediaRetries: this.media.retries,
          mediaConnections: files.mediaConnections,
          fetch: options.fetch,
          caches: this.caches,
          version,
          url: config.ws_url ?? WS_URL,
          proxy: this.bridge?.url ?? null,
          clock,
          log,
          events,
          pairing: { digits: digits ?? "", code: customPairCode(config.pair_code) },
        });
        this.sock = opened.sock;
        return opened.socket;
      },
      onLoggedOut: () => this.loggedOut().catch((error: unknown) => this.fail(error)),
      onChange: () => this.changed(),
    });
  }

  async start(deliver: Deliver): Promise<void> {
    // Linking and what WhatsApp then tells of contacts is work for a compiler.
    compileWhatIsHot();
    const { proxyUrl, clock, log } = this.options;
    this.deliver = deliver;
    this.trouble = null;
    try {
      if (proxyUrl !== null) {
        const { httpProxyBridge } = await import("../../net/bridge.ts");
        const bridge = await httpProxyBridge(proxyUrl, {
          timeoutMs: PROXY_MS,
          onFailure: ({ code }) => this.proxyFailed(proxyTrouble(code, "WhatsApp")),
        });
        // Stopped, or started by another, meanwhile.
        if (this.deliver !== deliver || this.bridge) return await bridge.close();
        this.bridge = bridge;
      }
      this.place.open();
    } catch (error) {
      await this.closeBridge();
      return this.fail(error);
    }
    this.ingress = new Ingress({ session: () => this.place.session, deliver, clock, log });
    this.ingress.wake();
    this.connection.start();
  }

  async stop(): Promise<void> {
    this.attention.stop();
    this.connection.stop("stopped");
    this.sock = undefined;
    const { ingress } = this;
    // At once: whoever is linking anew meanwhile must see it, however long the handing over takes.
    this.ingress = null;
    this.deliver = null;
    await ingress?.stop();
    this.place.close();
    await this.closeBridge();
  }

  status(): ChannelStatus {
    const { session } = this.place;
    const linkedAs = session?.linked ? session.self.phone : null;
    if (this.trouble !== null) return { state: "disconnected", reason: this.trouble, linkedAs };
    return { ...this.connection.status, linkedAs };
  }

  onStatus(listener: () => void): void {
    this.listeners.push(listener);
  }

  send(delivery: Delivery, signal: AbortSignal): Promise<SendResult> {
    return this.client.send(delivery, signal);
  }

  async probe(signal: AbortSignal): Promise<SendFailure | null> {
    return (await this.ready(signal)) ? null : notConnected(this.status().reason ?? "not started");
  }

  turnStarted(focus: TurnFocus): void {
    this.attention.started(focus);
  }

  turnEnded(focus: TurnFocus): void {
    this.attention.ended(focus);
  }

  openMedia(media: MediaReference, signal: AbortSignal): Promise<MediaStream> {
    return this.media.open(media, signal);
  }

  /**
   * Logs this device out where that is possible, moves the session aside and shows a new code. A session that could
   * not be opened is tried once more and otherwise left as it is: throws why. Throws too where the channel is stopped,
   * also meanwhile: what it opened then, nobody would close.
   */
  async relink(): Promise<void> {
    const { ingress } = this;
    if (!ingress) {
      if (!this.deliver) throw new Error(NOT_RUNNING);
      await this.start(this.deliver);
      if (this.trouble !== null) throw new Error(this.trouble);
      return;
    }
    this.relinks++;
    try {
      await this.linkAnew(ingress);
    } finally {
      this.relinks--;
    }
  }

  private async linkAnew(ingress: Ingress): Promise<void> {
    const { sock } = this;
    const { session } = this.place;
    try {
      if (session?.linked) session.beginRelink();
    } catch {
      // On a full disk, a crash from here on takes another relink.
    }
    if (session?.linked && sock && this.connection.status.state === "ready") {
      await within(this.options.clock, LOGOUT_MS, sock.logout()).catch(() => {});
    }
    if (this.ingress !== ingress) throw new Error(NOT_RUNNING);
    this.connection.stop("linking anew");
    try {
      if (this.place.open().linked) await this.setAside();
      if (this.ingress === ingress) this.place.open();
    } catch (error) {
      this.fail(error);
      throw error;
    }
    if (this.ingress !== ingress) throw new Error(NOT_RUNNING);
    this.trouble = null;
    this.connection.start();
  }

  /** A crash came into linking anew, which is to go on. */
  private get cutOff(): boolean {
    return this.relinks === 0 && this.place.session?.relinkBegun === true;
  }

  private async loggedOut(): Promise<void> {
    const { cutOff } = this;
    await this.setAside();
    if (!cutOff || !this.ingress) return;
    this.place.open();
    this.connection.start();
  }

  /** What still had to be handed over goes first: the socket is gone by then. */
  private async setAside(): Promise<void> {
    this.sock = undefined;
    if (await this.place.setAside(this.ingress)) this.caches.devices.flushAll();
  }

  /** The socket once logged in; null where that takes longer than a moment. */
  private async ready(signal: AbortSignal): Promise<WASocket | null> {
    const { connection } = this;
    if (connection.status.state !== "ready") {
      if (this.trouble !== null || !connection.comingBack) return null;
      if (!(await this.readiness.wait(signal))) return null;
    }
    return this.sock ?? null;
  }

  private changed(): void {
    const { state, linking } = this.connection.status;
    if (state === "ready") {
      this.options.log.info({}, "WhatsApp Web is connected");
      this.readiness.reached();
      // Where it fails, that has been told, or the channel was stopped.
      if (this.cutOff) void this.relink().catch(() => {});
    } else {
      this.client.acknowledgements.lose();
      this.media.retries.lose();
    }
    if (linking) void this.show(linking);
    for (const listener of this.listeners) listener();
  }

  private async show(linking: Linking): Promise<void> {
    const code = linking.qr ?? linking.pairCode;
    if (code === null || code === this.shown) return;
    this.shown = code;
    this.options.log.info({}, "waiting for a phone to link this device: see `revka status`");
    const plain = Boolean(this.options.env.NO_COLOR);
    await this.options.showLinking?.((columns) => linkingText(linking, { plain, columns }));
  }

  private fail(error: unknown): void {
    this.trouble = error instanceof Error ? error.message : "unknown error";
    const code = error instanceof SessionError ? error.code : "start";
    this.options.log.error({ code }, this.trouble);
    for (const listener of this.listeners) listener();
  }

  private async closeBridge(): Promise<void> {
    await this.bridge?.close();
    this.bridge = null;
  }
}
