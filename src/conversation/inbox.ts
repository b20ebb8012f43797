import { NotAccepted, type Deliver } from "../channels/channel.ts";
import type { InboundEvent, Message, SendFailure } from "../channels/message.ts";
import type { Clock } from "../runtime/clock.ts";
import { compileWhatIsHot } from "../runtime/compiler.ts";
import {
  StoreError,
  type AcceptOutcome,
  type AcceptRules,
  type ChatId,
  type ConversationStore,
  type Source,
  type Verdict,
} from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Logger } from "../telemetry/log.ts";
import { endOfId } from "../telemetry/message-id.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface InboxLimits {
  maxPendingMessages: number;
  maxPendingBytes: number;
  maxPendingPerChat: number;
}

export interface InboxOptions {
  store: ConversationStore;
  limits: InboxLimits;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  alarms: Alarms;
  /** What becomes of a delivery that the platform failed afterwards; see the store's `AcceptRules`. */
  pauseAfter(failure: SendFailure, attempts: number): number | null;
  /** Messages of this chat are on disk. */
  onMessages(chat: ChatId): void;
  /** A status settled this delivery, or failed it afterwards. */
  onMoved(moved: { chat: ChatId; delivery: string; failure: SendFailure | null }): void;
}

/** Seconds a platform should wait before it sends again what was not accepted. */
const RETRY_AFTER_SECS = { store: 30, overloaded: 15, stopping: 5 };

/** Where channels hand in what they received: admitted, on disk, and only then acknowledged. */
export class Inbox {
  #stopping = false;
  readonly #options: InboxOptions;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** From now on nothing is accepted: the platform is asked to come again. */
  stop(): void {
    this.#stopping = true;
  }

  /** The function a channel delivers to. `admit` is its one admission. */
  receiver(source: Source, admit: (message: Message) => Verdict): Deliver {
    const { limits, pauseAfter } = this.#options;
    const rules: AcceptRules = { admit, ...limits, pauseAfter };
    return async (events) => {
      compileWhatIsHot();
      if (this.#stopping) {
        throw new NotAccepted("stopping", RETRY_AFTER_SECS.stopping, "the daemon is stopping");
      }
      if (events.every((event) => event.kind === "ignored")) {
        return this.#countIgnored(source, events);
      }
      const outcome = await this.#accept(source, events, rules);
      this.#report(source, outcome);
      for (const chat of new Set(outcome.admitted.map((entry) => entry.chat))) {
        this.#options.onMessages(chat);
      }
      for (const moved of outcome.moved) this.#options.onMoved(moved);
      if (outcome.overflow > 0) {
        throw new NotAccepted(
          "overloaded",
          RETRY_AFTER_SECS.overloaded,
          "too many messages are waiting",
        );
      }
      // Last, since all of it comes again where something did not fit.
      this.#countIgnored(source, events);
    };
  }

  async #accept(
    source: Source,
    events: InboundEvent[],
    rules: AcceptRules,
  ): Promise<AcceptOutcome> {
    const { store, alarms } = this.#options;
    try {
      const outcome = await store.accept(source, events, rules);
      if (alarms.get("store")) alarms.clear("store");
      return outcome;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      alarms.raise("store", error.problem, `The store cannot be written: ${error.message}`);
      throw new NotAccepted("store", RETRY_AFTER_SECS.store, "the message cannot be stored");
    }
  }

  #countIgnored(source: Source, events: InboundEvent[]): void {
    for (const event of events) {
      if (uncounted.has(event.kind)) continue;
      const reason = event.kind === "ignored" ? event.reason : event.kind;
      this.#options.metrics.eventsIgnored.inc({ channel: source.channel, reason });
    }
  }

  #report(source: Source, outcome: AcceptOutcome): void {
    const { metrics, log } = this.#options;
    const channel = source.channel;
    for (const { chat, message } of outcome.admitted) {
      metrics.messagesIn.inc({ channel, type: knownType(message.type) });
      log.info(
        { channel, chat, id: endOfId(message.id), type: message.type, length: message.text.length },
        "message accepted",
      );
    }
    if (outcome.duplicates > 0) metrics.duplicates.inc({ channel }, outcome.duplicates);
    for (const { message, reason } of outcome.refused) {
      metrics.refusals.inc({ channel, reason });
      log.info(
        { channel, id: endOfId(message.id), type: message.type, reason, sender: masked(message) },
        "message refused",
      );
    }
    const { messages, deliveries } = outcome.abandoned;
    if (messages + deliveries > 0) {
      log.warn(
        { channel, messages, deliveries },
        "another number was linked: what waited for the one before is not answered from it",
      );
    }
    if (outcome.overflow > 0) {
      log.warn(
        { channel, messages: outcome.overflow },
        "inbox or outbox full: asked the platform to wait",
      );
    }
  }
}

/** Events that are no thing left undone. */
const uncounted: ReadonlySet<string> = new Set(["message", "status", "account"]);

const types = new Set(
  "text image audio voice video document sticker location contacts interactive button order".split(
    " ",
  ),
);

/** A label of bounded values: what the platform invents next is `other`. */
function knownType(type: string): string {
  return types.has(type) ? type : "other";
}

/** The last two digits of a number, enough to recognise a test phone. */
function masked(message: Message): string {
  const { phone, userId, lid } = message.sender;
  if (phone) return `…${phone.slice(-2)}`;
  return userId ? "user id" : lid ? "lid" : "unknown";
}
