import type { Channel } from "../channels/channel.ts";
import type { SendFailure, SendResult } from "../channels/message.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import {
  sourceKey,
  StoreError,
  type ConversationStore,
  type Source,
  type StoredChat,
  type StoredDelivery,
} from "../store/contract.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Holds } from "./holds.ts";
import { decideRetry, pauseOfUnsent } from "./retry.ts";

/** Pause before a store that failed is tried again, ms. */
export const STORE_PAUSE = 2_000;

/** Failures to reach the platform over so long, ms, without an answer in between, are more than a moment's. */
const UNREACHED_AFTER = 1_000;
/** Longer than the longest pause between two tries, ms: what nobody tries any more says nothing of now. */
const UNREACHED_FOR = 7 * 60_000;

export interface SettlementOptions {
  store: ConversationStore;
  clock: Clock;
  random(): number;
  log: Logger;
  metrics: Metrics;
  holds: Holds;
  stumbled(error: unknown): void;
  /** The platform of an account answers again. */
  reached(source: Source): void;
  stopping(): boolean;
}

/** The last thing that went wrong at sending for an account. `at` in Unix milliseconds. */
export interface LastFailure {
  at: number;
  code: string;
  hint: string;
}

/** What becomes of a delivery once the platform has answered, or has not. */
export class Settlement {
  readonly #options: SettlementOptions;
  readonly #last = new Map<string, LastFailure>();
  /** Accounts whose platform has not answered since. */
  readonly #unreached = new Map<string, { since: number; at: number; failure: SendFailure }>();

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  lastFailure(source: Source): LastFailure | null {
    return this.#last.get(sourceKey(source)) ?? null;
  }

  /** Keeps it as the last thing that went wrong. */
  wentWrong(source: Source, { code, hint }: SendFailure): void {
    this.#last.set(sourceKey(source), { at: this.#options.clock.now(), code, hint });
  }

  /** Why the platform of an account is not reached, while sends fail for that; else null. */
  unreached(source: Source): SendFailure | null {
    const seen = this.#unreached.get(sourceKey(source));
    if (!seen || seen.at - seen.since < UNREACHED_AFTER) return null;
    return this.#options.clock.now() - seen.at < UNREACHED_FOR ? seen.failure : null;
  }

  #noteReach(source: Source, failure: SendFailure | null): void {
    const key = sourceKey(source);
    const at = this.#options.clock.now();
    const known = this.#unreached.get(key);
    const since = known && at - known.at < UNREACHED_FOR ? known.since : at;
    if (failure?.unreached) this.#unreached.set(key, { since, at, failure });
    else if (this.#unreached.delete(key)) {
      // After a moment's trouble nothing waits for long; where most fail, each that does not would call all others.
      if (known && at - known.since >= UNREACHED_AFTER) this.#options.reached(source);
    }
  }

  #outageMs(source: Source): number {
    const known = this.#unreached.get(sourceKey(source));
    return known ? known.at - known.since : 0;
  }

  /**
   * Notes the outcome of one try. Answers the pause, ms, of what could not even leave, which nothing in the store holds
   * back; else null. Throws {@link StoreError} where a failure cannot be noted.
   */
  async settle(
    stored: StoredChat,
    channel: Channel,
    delivery: StoredDelivery,
    result: SendResult,
  ): Promise<number | null> {
    const { store, random, holds } = this.#options;
    this.#noteReach(stored.source, result.ok ? null : result.failure);
    if (result.ok) {
      holds.works(stored.source, stored.id);
      const { platformId } = result;
      const ending = await this.#kept(() => store.markSent(delivery.id, platformId));
      if (ending?.failure) this.wentWrong(stored.source, ending.failure);
      // A status may have settled it already, and was counted.
      if (ending) this.ended(stored, delivery, ending.failure);
      return null;
    }
    const { failure } = result;
    const { code } = failure;
    this.wentWrong(stored.source, failure);
    // Only the platform numbers its refusals: it looked at the delivery, so the account may send.
    if (failure.retry === "no" && /^\d/.test(code)) holds.works(stored.source, stored.id);
    if (failure.retry === "hold") {
      await this.waits(delivery, 0, failure);
      holds.hold(stored.source, failure);
      return null;
    }
    holds.tellsNothing(stored.source, stored.id);
    const unsent = failure.retry === "unsent";
    if (unsent) await this.waits(delivery, 0, failure);
    else if (!(await this.#again(stored, channel, delivery, failure))) return null;
    this.#options.log.warn(
      { channel: channel.name, delivery: delivery.id, code: failure.code, retry: failure.retry },
      `delivery delayed: ${failure.hint}`,
    );
    return unsent ? pauseOfUnsent(this.#outageMs(stored.source), random()) : null;
  }

  /** Notes when it is tried again, or that it has failed for good (false). */
  async #again(
    stored: StoredChat,
    channel: Channel,
    delivery: StoredDelivery,
    failure: SendFailure,
  ): Promise<boolean> {
    const { store, clock, random } = this.#options;
    const ambiguous = failure.retry === "ambiguous";
    const tries = {
      attempts: delivery.attempts + 1,
      unanswered: delivery.unanswered + (ambiguous ? 1 : 0),
    };
    const decision = decideRetry(failure, tries, channel, random());
    if (!decision.again) {
      const first = await store.markFailed(delivery.id, failure);
      if (first) this.ended(stored, delivery, failure);
      return false;
    }
    const nextAt = clock.now() + decision.afterMs;
    await this.waits(delivery, nextAt, failure);
    return true;
  }

  /** A try that was put off says nothing of an earlier one: what was in doubt stays so. */
  waits(delivery: StoredDelivery, nextAt: number, failure: SendFailure): Promise<void> {
    const { store } = this.#options;
    return failure.retry === "ambiguous" || delivery.state === "sending"
      ? store.markAmbiguous(delivery.id, nextAt, failure)
      : store.markRetry(delivery.id, nextAt, failure);
  }

  /** Asked what became of a delivery, the platform did not say: it stays in doubt, and is asked for later. */
  async stillInDoubt(
    stored: StoredChat,
    delivery: StoredDelivery,
    failure: SendFailure,
  ): Promise<void> {
    const { clock, random, holds, log } = this.#options;
    this.#noteReach(stored.source, failure);
    this.wentWrong(stored.source, failure);
    if (failure.retry === "hold") return holds.hold(stored.source, failure);
    log.warn(
      { channel: stored.source.channel, delivery: delivery.id, code: failure.code },
      `whether a send without an answer arrived is not known yet: ${failure.hint}`,
    );
    const since = Math.max(this.#outageMs(stored.source), clock.now() - delivery.createdAt);
    const pause = pauseOfUnsent(since, random());
    const nextAt = clock.now() + Math.max(failure.afterMs ?? 0, pause);
    await this.waits(delivery, nextAt, { ...failure, retry: "backoff" });
  }

  /** A delivery is final: sent, or failed for this reason. */
  ended(stored: StoredChat, delivery: StoredDelivery, failure: SendFailure | null): void {
    const { log, metrics } = this.#options;
    const { channel } = stored.source;
    metrics.deliveries.inc({ channel, outcome: failure ? "failed" : "sent" });
    if (failure) {
      log.warn(
        { channel, delivery: delivery.id, code: failure.code },
        `delivery failed: ${failure.hint}`,
      );
    } else {
      log.info({ channel, chat: stored.id, delivery: delivery.id }, "delivery sent");
    }
  }

  /** What the platform has accepted must be noted, however long the store takes: else it would be sent again. */
  async #kept<T>(mark: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await mark();
      } catch (error) {
        if (!(error instanceof StoreError) || this.#options.stopping()) throw error;
        this.#options.stumbled(error);
        await sleep(this.#options.clock, STORE_PAUSE);
      }
    }
  }
}
