import { EventEmitter } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import {
  envelope,
  inboundMessage,
  serialise,
  type Business,
} from "../../src/simulator/graph/bodies.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { signature } from "../../src/simulator/graph/webhooks.ts";
import type { WrittenMessage } from "./ledger.ts";
import { keepsOrder, type PlannedWebhook } from "./plan.ts";

export interface CustomersOptions {
  /** The webhook of the daemon. */
  url: string;
  appSecret: string;
  business: Business;
}

/** First wait after a post that was not answered 200, ms; it grows by half up to the longest. */
const firstWait = 20;
const longestWait = 250;
const timeoutMs = 10_000;

interface Webhook {
  plan: PlannedWebhook;
  bytes: Uint8Array;
  messages: WrittenMessage[];
}

/**
 * Customers and Meta between them: posts signed webhooks and tries each again until it is answered 200. Emits `posted`
 * when a body was written out and `acknowledged` when it was taken.
 */
export class Customers extends EventEmitter<{ posted: []; acknowledged: [ms: number] }> {
  readonly written: WrittenMessage[] = [];
  /** Answers other than 200, by status; "none" where no answer came. */
  readonly refusals = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 });
  readonly #lanes = new Map<number, Promise<void>>();
  #waiting = 0;
  #stopped = false;

  constructor(readonly options: CustomersOptions) {
    super();
  }

  /** Webhooks that are not acknowledged yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Posts a webhook; goes on by itself. */
  post(plan: PlannedWebhook): void {
    const webhook = this.#build(plan);
    this.#waiting++;
    const before = keepsOrder(plan.chat) ? this.#lanes.get(plan.chat) : undefined;
    const done = this.#run(webhook, before).finally(() => this.#waiting--);
    if (keepsOrder(plan.chat)) this.#lanes.set(plan.chat, done);
  }

  stop(): void {
    this.#stopped = true;
    this.#agent.destroy();
  }

  #build(plan: PlannedWebhook): Webhook {
    const phone = numberOf(plan.chat);
    const number = this.written.length;
    const built = Array.from({ length: plan.messages }, (_, place) =>
      inboundMessage(
        { from: { phone }, content: content.text(`message ${number + place}`) },
        this.options.business,
        Date.now(),
      ),
    );
    const messages = built.map(({ id }, place): WrittenMessage => ({
      id,
      text: `message ${number + place}`,
      chat: phone,
      postedAt: Number.POSITIVE_INFINITY,
      acknowledgedAt: null,
      place,
      webhook: number,
    }));
    this.written.push(...messages);
    const value = {
      contacts: built.slice(0, 1).map(({ contact }) => contact),
      messages: built.map(({ message }) => message),
    };
    return { plan, messages, bytes: serialise(envelope(this.options.business, value), "meta") };
  }

  async #run(webhook: Webhook, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (webhook.plan.delayMs > 0) await pause(webhook.plan.delayMs);
    const now = performance.now();
    for (const message of webhook.messages) message.postedAt = now;
    for (let copy = 0; copy < webhook.plan.copies; copy++) void this.#attempt(webhook, null);
    let cut = webhook.plan.cutAfterMs;
    for (let wait = firstWait; !this.#stopped; wait = Math.min(wait * 1.5, longestWait)) {
      if (await this.#attempt(webhook, cut)) return;
      cut = null;
      await pause(wait);
    }
  }

  async #attempt(webhook: Webhook, cutAfterMs: number | null): Promise<boolean> {
    const began = performance.now();
    const status = await this.#send(webhook.bytes, cutAfterMs);
    if (status !== 200) {
      const key = String(status ?? "none");
      this.refusals.set(key, (this.refusals.get(key) ?? 0) + 1);
      return false;
    }
    const now = performance.now();
    for (const message of webhook.messages) message.acknowledgedAt ??= now;
    this.emit("acknowledged", now - began);
    return true;
  }

  #send(bytes: Uint8Array, cutAfterMs: number | null): Promise<number | null> {
    const { url, appSecret } = this.options;
    return new Promise((resolve) => {
      const post = request(
        url,
        {
          method: "POST",
          agent: this.#agent,
          timeout: timeoutMs,
          headers: {
            "content-type": "application/json",
            "content-length": bytes.length,
            "x-hub-signature-256": signature(appSecret, bytes),
          },
        },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve(answer.statusCode ?? null));
          answer.on("error", () => resolve(null));
          answer.on("close", () => resolve(answer.complete ? (answer.statusCode ?? null) : null));
        },
      );
      post.on("finish", () => {
        this.emit("posted");
        if (cutAfterMs !== null) setTimeout(() => post.destroy(), cutAfterMs);
      });
      post.on("timeout", () => post.destroy());
      post.on("error", () => resolve(null));
      post.end(bytes);
    });
  }
}

/** A customer's number, digits only. */
export function numberOf(chat: number): string {
  return `1555${String(1_000_000 + chat)}`;
}
