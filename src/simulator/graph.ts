import { systemClock } from "../runtime/clock.ts";
import {
  envelope,
  identityOf,
  inboundMessage,
  type Business,
  type CustomerMessage,
} from "./graph/bodies.ts";
import { controlRoute } from "./graph/control.ts";
import { FaultPlan } from "./graph/faults.ts";
import { handshake, type Handshake } from "./graph/handshake.ts";
import { RateLimiter } from "./graph/limits.ts";
import { MediaStore, type StoredMedia } from "./graph/media.ts";
import {
  defaultAccount,
  type GraphAccount,
  type GraphOptions,
  type GraphSettings,
} from "./graph/options.ts";
import { seededRandom } from "./graph/random.ts";
import { GraphRecords, type SendRecord } from "./graph/record.ts";
import { graphRoute } from "./graph/routes.ts";
import { StatusReporter } from "./graph/statuses.ts";
import type { GraphWorld } from "./graph/world.ts";
import { defaultWebhookSettings } from "./graph/webhook-settings.ts";
import { WebhookSender } from "./graph/webhooks.ts";
import type { ContentFile } from "./graph/content.ts";
import { LoopbackServer } from "./loopback.ts";

/**
 * A stand-in for Meta's Graph API on loopback: takes sends, uploads and reads as Meta does, sends signed webhooks,
 * and fails in every way that Meta and the network can fail.
 */
export class GraphSimulator {
  readonly records = new GraphRecords();
  readonly account: GraphAccount;
  readonly settings: GraphSettings;
  readonly faults: FaultPlan;
  readonly media = new MediaStore();
  readonly #clock;
  readonly #webhooks: WebhookSender;
  readonly #statuses: StatusReporter;
  readonly #limiter: RateLimiter;
  readonly #inboundIds = new Set<string>();
  readonly #lastWrote = new Map<string, number>();
  readonly #server: LoopbackServer;

  constructor(options: GraphOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.account = { ...defaultAccount, ...options.account };
    this.settings = {
      webhooks: {
        ...defaultWebhookSettings,
        appSecret: this.account.appSecret,
        ...options.webhooks,
      },
      statuses: { states: ["sent", "delivered"], delayMs: 5, ...options.statuses },
      limits: options.limits ?? {},
      enforceWindow: options.enforceWindow ?? false,
    };
    this.faults = new FaultPlan(seededRandom(options.seed ?? 1));
    this.#limiter = new RateLimiter(this.settings.limits);
    this.#webhooks = new WebhookSender(this.settings.webhooks, this.#clock, this.records.webhooks);
    this.#statuses = new StatusReporter(
      this.settings.statuses,
      this.#clock,
      this.#webhooks,
      (phoneNumberId) => this.#business(phoneNumberId),
    );
    const world = this.#world();
    this.#server = new LoopbackServer(options.port ?? 0, (request, response) => {
      const route = request.url?.startsWith("/_sim/")
        ? controlRoute(this, request, response)
        : graphRoute(world, request, response);
      void route.catch(() => response.destroy());
    });
  }

  /** Begins to listen on loopback. */
  async start(): Promise<this> {
    await this.#server.start();
    return this;
  }

  /** Base URL without a slash at the end: what `api_base_url` takes. */
  get url(): string {
    return this.#server.url;
  }

  /** A customer writes: one webhook. Answers with the message's id at once; sending goes on by itself. */
  write(message: CustomerMessage): string {
    return this.writeBatch([message])[0] ?? "";
  }

  /** Several messages in one webhook, as Meta batches them (all to one business number). */
  writeBatch(messages: CustomerMessage[]): string[] {
    const now = this.#clock.now();
    const business = this.#business(messages[0]?.phoneNumberId);
    const built = messages.map((message) => inboundMessage(message, business, now));
    for (const { from } of messages) {
      const { waId, userId } = identityOf(from);
      for (const key of [waId, userId]) if (key) this.#lastWrote.set(key, now);
    }
    const ids = built.map(({ id }) => id);
    for (const id of ids) this.#inboundIds.add(id);
    const first = messages[0];
    const { waId, userId } = identityOf(first?.from ?? {});
    const value = {
      contacts: built.map(({ contact }) => contact),
      messages: built.map(({ message }) => message),
    };
    void this.#webhooks.send("message", ids, envelope(business, value), waId ?? userId ?? "");
    return ids;
  }

  /** Sends any body, as JSON or as exact bytes, signed like every other. Resolves when accepted or given up. */
  deliver(body: unknown, ids: string[] = []) {
    for (const id of ids) this.#inboundIds.add(id);
    return this.#webhooks.send("raw", ids, body, null);
  }

  /** Keeps a customer's file and answers with what a message's content needs to name it. */
  file(bytes: Uint8Array, mimeType: string, filename: string | null = null): ContentFile {
    const stored: StoredMedia = this.media.add(bytes, mimeType, filename);
    return { id: stored.id, mimeType, sha256: stored.sha256 };
  }

  /** Asks the callback URL for the verification handshake, as Meta does when it is entered. */
  handshake(): Promise<Handshake> {
    return handshake(this.settings.webhooks.url ?? "", this.account.verifyToken);
  }

  /** Waits for messages that reached Meta for `recipient` (any when absent), lost answers included. */
  waitForSends(
    options: { to?: string; count?: number; timeoutMs?: number } = {},
  ): Promise<SendRecord[]> {
    const to = options.to?.replace(/^\+/, "");
    return this.records.sends.waitFor({
      ...options,
      where: (send) => send.wamid !== null && (to === undefined || send.recipient === to),
    });
  }

  /** Replaces the rate limits. */
  limit(limits: GraphSettings["limits"]): void {
    this.settings.limits = limits;
    this.#limiter.limits = limits;
  }

  /** Webhooks and statuses that are still on their way. */
  get pending(): number {
    return this.#webhooks.pending + this.#statuses.pending;
  }

  /** Resolves when every status and webhook has been accepted or given up; rejects when time is up. */
  async idle(timeoutMs = 5000): Promise<void> {
    const until = Date.now() + timeoutMs;
    while (this.pending > 0) {
      await this.#statuses.idle(until - Date.now());
      await this.#webhooks.idle(until - Date.now());
    }
  }

  async stop(): Promise<void> {
    this.#statuses.stop();
    this.#webhooks.stop();
    await this.#server.stop();
  }

  #business(phoneNumberId?: string): Business {
    return {
      businessAccountId: this.account.businessAccountId,
      phoneNumberId:
        phoneNumberId ?? this.account.phoneNumberId ?? defaultAccount.phoneNumberId ?? "",
      displayPhoneNumber: this.account.displayPhoneNumber,
    };
  }

  #world(): GraphWorld {
    return {
      account: this.account,
      settings: this.settings,
      records: this.records,
      faults: this.faults,
      media: this.media,
      limiter: this.#limiter,
      statuses: this.#statuses,
      now: () => this.#clock.now(),
      pause: (ms) => new Promise((resolve) => void this.#clock.after(ms, () => resolve())),
      url: () => this.url,
      knowsInbound: (id) => this.#inboundIds.has(id),
      lastWrote: (recipient) => this.#lastWrote.get(recipient),
    };
  }
}

/** Starts a simulator in this process. */
export function startGraphSimulator(options: GraphOptions = {}): Promise<GraphSimulator> {
  return new GraphSimulator(options).start();
}
