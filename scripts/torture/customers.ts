import { EventEmitter } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { WrittenMessage } from "./ledger.ts";
import { keepsOrder, type PlannedWebhook } from "./plan.ts";
import type { Webhooks } from "./platform.ts";

/** First wait after a post that was not answered 200, ms; it grows by half up to the longest. */
const firstWait = 20;
const longestWait = 250;
const timeoutMs = 10_000;

interface Webhook {
  plan: PlannedWebhook;
  bodies: Uint8Array[];
  messages: WrittenMessage[];
}

/**
 * Customers and the platform between them: posts webhooks and tries each again until it is answered 200. Emits `posted`
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

  /** `daemon` is its base URL. */
  constructor(
    readonly daemon: string,
    readonly webhooks: Webhooks,
  ) {
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
    const count = Math.min(plan.messages, this.webhooks.batch);
    const texts = Array.from({ length: count }, (_, place) =>
      `message ${number + place}`.padEnd(plan.letters ?? 0, "."),
    );
    const { ids, bodies } = this.webhooks.compose(phone, texts);
    const messages = texts.map((text, place): WrittenMessage => ({
      id: ids[place] ?? "",
      text,
      chat: phone,
      postedAt: Number.POSITIVE_INFINITY,
      acknowledgedAt: null,
      place,
      webhook: number,
    }));
    this.written.push(...messages);
    return { plan, messages, bodies };
  }

  async #run(webhook: Webhook, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (webhook.plan.delayMs > 0) await pause(webhook.plan.delayMs);
    const now = performance.now();
    for (const message of webhook.messages) message.postedAt = now;
    await Promise.all(webhook.bodies.map((body) => this.#untilTaken(webhook, body)));
  }

  async #untilTaken(webhook: Webhook, body: Uint8Array): Promise<void> {
    const { copies, cutAfterMs } = webhook.plan;
    for (let copy = 0; copy < copies; copy++) void this.#attempt(webhook, body, null);
    let cut = cutAfterMs;
    for (let wait = firstWait; !this.#stopped; wait = Math.min(wait * 1.5, longestWait)) {
      if (await this.#attempt(webhook, body, cut)) return;
      cut = null;
      await pause(wait);
    }
  }

  async #attempt(webhook: Webhook, body: Uint8Array, cutAfterMs: number | null): Promise<boolean> {
    const began = performance.now();
    const status = await this.#send(body, cutAfterMs);
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
    return new Promise((resolve) => {
      const post = request(
        `${this.daemon}${this.webhooks.path}`,
        {
          method: "POST",
          agent: this.#agent,
          timeout: timeoutMs,
          headers: {
            "content-type": "application/json",
            "content-length": bytes.length,
            ...this.webhooks.headers(bytes),
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
