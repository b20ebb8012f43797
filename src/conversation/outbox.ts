import type { Channel } from "../channels/channel.ts";
import { sendFailure } from "../channels/failure.ts";
import type { SendFailure } from "../channels/message.ts";
import type { Clock } from "../runtime/clock.ts";
import { compileWhatIsHot } from "../runtime/compiler.ts";
import { onceLoaded } from "../runtime/once.ts";
import {
  StoreError,
  type ChatId,
  type ConversationStore,
  type EndedTurn,
  type FinishedTurn,
  type NewDelivery,
  type Source,
  type StoredDelivery,
} from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { outgoing } from "./delivery.ts";
import type { Doubt } from "./doubt.ts";
import { Holds } from "./holds.ts";
import { InFlight, type Attempt } from "./in-flight.ts";
import { Lanes, type Lane, type Next } from "./lanes.ts";
import { decideRetry } from "./retry.ts";
import { reasonOf } from "./reason.ts";
import { Sender } from "./sender.ts";
import { Settlement, type LastFailure } from "./settlement.ts";

export interface OutboxOptions {
  store: ConversationStore;
  /** The running channel of an account, if it runs. */
  channelOf(source: Source): Channel | undefined;
  clock: Clock;
  random(): number;
  log: Logger;
  metrics: Metrics;
  alarms: Alarms;
}

/**
 * Sends what turns left behind: in order within a chat, one delivery of a chat in flight, chats side by side. A
 * delivery is marked `sending` before the platform hears of it.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes: Lanes;
  readonly #inFlight: InFlight;
  readonly #holds: Holds;
  readonly #settlement: Settlement;
  readonly #sender: Sender;
  readonly #doubt: () => Promise<Doubt>;
  /** Chats whose first delivery was sent without an answer and is not sent again yet. */
  readonly #unconfirmed = new Set<ChatId>();
  readonly #abort = new AbortController();
  #stopping = false;
  /** By the clock as it is now: it may have been set back since. */
  #startedAt: number;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#lanes = new Lanes({
      clock: options.clock,
      step: (chat, lane) => this.#step(chat, lane),
      stumbled: (error) => this.#stumbled(error),
    });
    this.#inFlight = new InFlight({ clock: options.clock, wake: (chat) => this.wake(chat) });
    this.#holds = new Holds({
      clock: options.clock,
      random: options.random,
      alarms: options.alarms,
      channelOf: options.channelOf,
      signal: this.#abort.signal,
      released: (chats) => {
        for (const chat of chats) this.wake(chat);
      },
    });
    this.#settlement = new Settlement({
      ...options,
      holds: this.#holds,
      stumbled: (error) => this.#stumbled(error),
      reached: (source) => this.#lanes.resume(source),
      stopping: () => this.#stopping,
    });
    this.#sender = new Sender({
      ...options,
      lanes: this.#lanes,
      inFlight: this.#inFlight,
      holds: this.#holds,
      settlement: this.#settlement,
      stopping: () => this.#stopping,
    });
    this.#doubt = onceLoaded(async () => {
      const { Doubt } = await import("./doubt.ts");
      return new Doubt({ ...options, settlement: this.#settlement, signal: this.#abort.signal });
    });
  }

  /** Takes up what an earlier run left open. */
  start(): void {
    for (const chat of this.#options.store.chatsWithOpenDeliveries()) this.wake(chat);
  }

  /** Why the sending of an account stands still, or null. */
  heldBy(source: Source): SendFailure | null {
    return this.#holds.reason(source);
  }

  /** Why the platform of an account is not reached, while sends fail for that; else null. */
  unreached(source: Source): SendFailure | null {
    return this.#settlement.unreached(source);
  }

  /** The last thing that went wrong at sending for this account, healed or not. */
  lastFailure(source: Source): LastFailure | null {
    return this.#settlement.lastFailure(source);
  }

  /** How many deliveries were sent without an answer, and wait for word of it before they are sent again. */
  get unconfirmed(): number {
    return this.#unconfirmed.size;
  }

  /** The channel of this account changed its state: what waited for it goes on at once. */
  channelChanged(source: Source): void {
    const channel = this.#options.channelOf(source);
    if (channel?.status().state !== "ready") return;
    this.#holds.probeNow(source);
    this.#lanes.resume(source);
  }

  /** Something of this chat may be ready to go. */
  wake(chat: ChatId): void {
    if (this.#stopping) return;
    // Nothing may have come in: what waited for the start, or what a person sends.
    compileWhatIsHot();
    this.#lanes.wake(chat);
  }

  /** The pause before a delivery that the platform failed afterwards is tried again, ms; null: it has failed for good. */
  pauseAfter(failure: SendFailure, attempts: number): number | null {
    if (failure.retry === "hold") return 0;
    const tries = { attempts, unanswered: 0 };
    const decision = decideRetry(failure, tries, { repeat: "status" }, this.#options.random());
    return decision.again ? decision.afterMs : null;
  }

  /** A delivery that the platform accepted has failed afterwards; what follows from that is in the store already. */
  failedLater(chat: ChatId, id: string, failure: SendFailure): void {
    const { store } = this.#options;
    const delivery = store.delivery(id);
    const stored = store.chat(chat);
    if (!delivery || !stored) return;
    this.#settlement.wentWrong(stored.source, failure);
    if (failure.retry === "hold") this.#holds.hold(stored.source, failure);
    else if (delivery.state === "failed") this.#settlement.ended(stored, delivery, failure);
    this.wake(chat);
  }

  /** A status said that a delivery arrived whose answer was still open, and which is not waited for any more. */
  confirmedLater(chat: ChatId, id: string): void {
    const { store } = this.#options;
    this.#inFlight.cutOff(id);
    const delivery = store.delivery(id);
    const stored = store.chat(chat);
    if (delivery && stored) this.#settlement.ended(stored, delivery, null);
    this.wake(chat);
  }

  /** Starts nothing new and waits for what is in flight; past `graceMs` it is cut off and stays `sending`. */
  async drain(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#lanes.stop();
    await this.#inFlight.drain(graceMs);
    this.#abort.abort(new Error("the daemon is stopping"));
  }

  /**
   * Ends a turn. Its first delivery is marked `sending` in the same commit, and sent, where nothing of its chat waits or
   * goes before it. Answers and throws as {@link ConversationStore.finishTurn}.
   */
  async finish(turn: FinishedTurn): Promise<ChatId | null> {
    const { chat, deliveries } = turn;
    const [first] = deliveries;
    const claimed = first && this.#claim(chat, first);
    let ended: EndedTurn | null = null;
    try {
      ended = await this.#options.store.finishTurn(turn, Boolean(claimed));
    } finally {
      if (claimed && !ended?.sending) {
        this.#inFlight.end(claimed.attempt);
        this.#lanes.giveUp(chat, claimed.lane);
      }
    }
    if (claimed && ended?.sending) {
      const { lane, attempt } = claimed;
      void this.#lanes.run(chat, lane, () => this.#sender.sendMarked(lane, attempt));
    } else if (ended && first) {
      // Only now: of a chat that was joined meanwhile, its lane must not find the delivery in flight.
      this.wake(ended.chat);
    }
    return ended && ended.chat;
  }

  /** What of an idle chat may be sent as soon as it is stored, with its lane; else null. */
  #claim(chat: ChatId, first: NewDelivery): { attempt: Attempt; lane: Lane } | null {
    const attempt = this.#lanes.has(chat) ? null : this.#sender.claim(chat, first);
    return attempt && { attempt, lane: this.#lanes.claim(chat) };
  }

  /** One look at the head of a lane: send it, or say why not now. */
  async #step(chat: ChatId, lane: Lane): Promise<Next> {
    const { store, clock } = this.#options;
    const delivery = store.openDelivery(chat);
    const stored = store.chat(chat);
    // Joined with another chat, which now has what waited here.
    if (stored && stored.id !== chat) this.wake(stored.id);
    this.#unconfirmed.delete(chat);
    if (!delivery || !stored) return "empty";
    // In flight from the lane of a chat that was joined with this one, which wakes this one in the end.
    if (this.#inFlight.has(delivery.id)) return "wait";
    const channel = this.#options.channelOf(stored.source);
    if (!channel) return "wait";
    if (this.#holds.park(stored.source, chat)) return "wait";
    if (channel.status().state !== "ready") return this.#lanes.park(stored.source, chat);
    const due = this.#dueAt(delivery, channel);
    if (due > clock.now()) {
      this.#holds.tellsNothing(stored.source, chat);
      if (delivery.state === "sending") this.#unconfirmed.add(chat);
      if (delivery.updatedAt > clock.now()) return this.#remeasure(delivery);
      return this.#lanes.later(chat, lane, due - clock.now());
    }
    const asks = delivery.state === "sending" && channel.repeat === "ask";
    const gate = this.#inFlight.gateOf(stored.source, asks ? "ask" : "send");
    const entry = gate.enter(chat, asks ? channel.askPace : channel.pace);
    if (!entry.in)
      return entry.afterMs === null ? "wait" : this.#lanes.later(chat, lane, entry.afterMs);
    const attempt = this.#inFlight.begin({ stored, channel, delivery, gate });
    let marked = false;
    try {
      const out = outgoing(stored, delivery);
      if (asks) {
        const doubt = await this.#doubt();
        if (!(await doubt.ask(channel, stored, delivery, out))) return "again";
      }
      if (this.#stopping) return "again";
      marked = await store.markSending(delivery.id);
      if (!marked) return "again";
    } finally {
      if (!marked) this.#inFlight.end(attempt);
    }
    return await this.#sender.sendMarked(lane, attempt);
  }

  /** What is in doubt waits out its grace; a restart begins that anew, since statuses could not come in. */
  #dueAt(delivery: StoredDelivery, channel: Channel): number {
    if (delivery.state !== "sending" || channel.repeat === "same-id") return delivery.nextAt;
    this.#startedAt = Math.min(this.#startedAt, this.#options.clock.now());
    const seen = Math.max(delivery.updatedAt, this.#startedAt);
    return Math.max(delivery.nextAt, seen + (channel.graceMs ?? 0));
  }

  /** The clock was set back during a wait: it is as long as it was, by the clock as it is now. */
  async #remeasure(delivery: StoredDelivery): Promise<"again"> {
    const { clock } = this.#options;
    const nextAt = clock.now() + Math.max(0, delivery.nextAt - delivery.updatedAt);
    const { code, hint } = delivery;
    const failure = sendFailure("backoff", code ?? "waits", hint ?? "It waits for its next try.");
    await this.#settlement.waits(delivery, nextAt, failure);
    return "again";
  }

  /** The store could not be read or written: nothing of that may end the daemon, a lane tries again later. */
  #stumbled(error: unknown): void {
    const problem = error instanceof StoreError ? error.problem : "failed";
    const reason = reasonOf(error);
    this.#options.alarms.raise("store", problem, `The store cannot be used: ${reason}`);
  }
}
