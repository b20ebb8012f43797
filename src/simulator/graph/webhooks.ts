import { createHmac } from "node:crypto";
import { Agent, request } from "node:http";
import type { Clock } from "../../runtime/clock.ts";
import { serialise } from "./bodies.ts";
import type { Journal } from "./journal.ts";
import type { WebhookRecord } from "./record.ts";
import type { WebhookSettings } from "./webhook-settings.ts";

/** Meta's signature of a body: HMAC-SHA256 with the app secret, as the header carries it. */
export function signature(appSecret: string, body: Uint8Array): string {
  return `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`;
}

/**
 * Posts webhooks as Meta does: signed, at least once, tried again until 200. Those of one customer go out in order, as
 * far as each is tried once before the next; Meta promises no more.
 */
export class WebhookSender {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #waitingForSlot: (() => void)[] = [];
  readonly #idleWaiters = new Set<() => void>();
  readonly #cancelTimers = new Set<() => void>();
  #busySlots = 0;
  #pending = 0;
  #nextId = 1;
  #stopped = false;

  constructor(
    readonly settings: WebhookSettings,
    private readonly clock: Clock,
    private readonly journal: Journal<WebhookRecord>,
  ) {}

  get pending(): number {
    return this.#pending;
  }

  /** Sends one body. Resolves when it is accepted or given up; never rejects. `lane` names the customer; null: in no order. */
  async send(
    kind: WebhookRecord["kind"],
    ids: string[],
    body: unknown,
    lane: string | null,
  ): Promise<WebhookRecord> {
    const bytes = body instanceof Uint8Array ? body : serialise(body);
    const record: WebhookRecord = {
      id: this.#nextId++,
      kind,
      ids,
      at: this.clock.now(),
      attempts: 0,
      status: null,
      state: "pending",
    };
    this.#pending++;
    await this.#inLane(lane, record, bytes);
    this.#pending--;
    this.journal.add(record);
    if (this.#pending === 0) for (const waiter of this.#idleWaiters) waiter();
    return record;
  }

  /** Resolves when nothing is left to send; rejects when time is up. */
  idle(timeoutMs: number): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#idleWaiters.delete(done);
        reject(new Error(`${this.#pending} webhooks still pending after ${timeoutMs} ms`));
      }, timeoutMs);
      const done = () => {
        this.#idleWaiters.delete(done);
        clearTimeout(timer);
        resolve();
      };
      this.#idleWaiters.add(done);
    });
  }

  /** Gives up everything that is not accepted yet. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancelTimers) cancel();
    this.#agent.destroy();
  }

  async #inLane(lane: string | null, record: WebhookRecord, bytes: Uint8Array): Promise<void> {
    if (lane === null) return this.#deliver(record, bytes, () => {});
    const before = this.#lanes.get(lane);
    const turn = Promise.withResolvers<void>();
    this.#lanes.set(lane, turn.promise);
    await before;
    await this.#deliver(record, bytes, turn.resolve);
    turn.resolve();
    if (this.#lanes.get(lane) === turn.promise) this.#lanes.delete(lane);
  }

  async #deliver(record: WebhookRecord, bytes: Uint8Array, triedOnce: () => void): Promise<void> {
    const started = this.clock.now();
    let waitMs = this.settings.retry.initialMs;
    while (!(await this.#attempt(record, bytes))) {
      triedOnce();
      const { factor, maxMs, giveUpAfterMs } = this.settings.retry;
      const late = this.clock.now() + waitMs - started > giveUpAfterMs;
      if (this.#stopped || late || this.settings.url === null) {
        record.state = "given-up";
        return;
      }
      await this.#wait(waitMs);
      waitMs = Math.min(waitMs * factor, maxMs);
    }
    record.state = "accepted";
  }

  /** One post; true when it was answered 200. */
  async #attempt(record: WebhookRecord, bytes: Uint8Array): Promise<boolean> {
    const { url } = this.settings;
    if (url === null || this.#stopped) return false;
    if (this.#busySlots >= this.settings.concurrency) {
      await new Promise<void>((free) => this.#waitingForSlot.push(free));
    } else {
      this.#busySlots++;
    }
    record.attempts++;
    record.status = await this.#post(url, bytes);
    const next = this.#waitingForSlot.shift();
    if (next) next();
    else this.#busySlots--;
    return record.status === 200;
  }

  // node:http and not fetch: Bun's fetch would send loopback calls through HTTP_PROXY.
  #post(url: string, bytes: Uint8Array): Promise<number | null> {
    const { appSecret, timeoutMs } = this.settings;
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
            "user-agent": "facebookexternalua",
            ...(appSecret === null ? {} : { "x-hub-signature-256": signature(appSecret, bytes) }),
          },
        },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve(answer.statusCode ?? null));
          answer.on("error", () => resolve(null));
          answer.on("close", () => resolve(answer.complete ? (answer.statusCode ?? null) : null));
        },
      );
      post.on("timeout", () => post.destroy(new Error("timeout")));
      post.on("error", () => resolve(null));
      post.end(bytes);
    });
  }

  #wait(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#cancelTimers.delete(done);
        resolve();
      };
      const cancel = this.clock.after(ms, done);
      this.#cancelTimers.add(done);
    });
  }
}
