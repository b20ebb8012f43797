import type { Channel } from "../channels/channel.ts";
import { sendFailure } from "../channels/failure.ts";
import type { SendFailure } from "../channels/message.ts";
import type { Clock } from "../runtime/clock.ts";
import { compileWhatIsHot } from "../runtime/compiler.ts";
import { onceLoaded } from "../runtime/once.ts";
import {
  sourceKey,
  StoreError,
  type ChatId,
  type ConversationStore,
  type EndedTurn,
  type FinishedTurn,
  type NewDelivery,
  type Source,
  type StoredChat,
  type StoredDelivery,
} from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { answerOf, newDelivery, outgoing } from "./delivery.ts";
import type { Doubt } from "./doubt.ts";
import { Holds } from "./holds.ts";
import { InFlight, type Attempt } from "./in-flight.ts";
import { decideRetry } from "./retry.ts";
import { Settlement, STORE_PAUSE, type LastFailure } from "./settlement.ts";
import { reasonOf } from "./reason.ts";

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

interface Lane {
  busy: boolean;
  /** Woken while busy: look once more before it rests. */
  again: boolean;
  cancel: (() => void) | null;
}

/**
 * Sends what turns left behind: in order within a chat, one delivery of a chat in flight, chats side by side. A
 * delivery is marked `sending` before the platform hears of it.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes = new Map<ChatId, Lane>();
  readonly #inFlight: InFlight;
  readonly #holds: Holds;
  readonly #settlement: Settlement;
  readonly #doubt: () => Promise<Doubt>;
  /** Chats whose channel is not ready, or whose platform is not reached, just now, by account. */
  readonly #stalled = new Map<string, Set<ChatId>>();
  /** Chats whose first delivery was sent without an answer and is not sent again yet. */
  readonly #unconfirmed = new Set<ChatId>();
  readonly #abort = new AbortController();
  #stopping = false;
  /** By the clock as it is now: it may have been set back since. */
  #startedAt: number;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
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
      reached: (source) => this.#resume(source),
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
    this.#resume(source);
  }

  #resume(source: Source): void {
    const waiting = this.#stalled.get(sourceKey(source));
    this.#stalled.delete(sourceKey(source));
    for (const chat of waiting ?? []) this.wake(chat);
  }

  /** Something of this chat may be ready to go. */
  wake(chat: ChatId): void {
    if (this.#stopping) return;
    // Nothing may have come in: what waited for the start, or what a person sends.
    compileWhatIsHot();
    let lane = this.#lanes.get(chat);
    if (!lane) {
      lane = { busy: false, again: false, cancel: null };
      this.#lanes.set(chat, lane);
    }
    lane.cancel?.();
    lane.cancel = null;
    if (lane.busy) lane.again = true;
    else void this.#run(chat, lane);
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
    for (const lane of this.#lanes.values()) lane.cancel?.();
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
    const attempt = first ? this.#claim(chat, first) : null;
    const lane: Lane = { busy: true, again: false, cancel: null };
    if (attempt) this.#lanes.set(chat, lane);
    let ended: EndedTurn | null = null;
    try {
      ended = await this.#options.store.finishTurn(turn, attempt !== null);
    } finally {
      if (attempt && !ended?.sending) {
        this.#lanes.delete(chat);
        this.#inFlight.end(attempt);
        if (lane.again) this.wake(chat);
      }
    }
    if (attempt && ended?.sending) void this.#run(chat, lane, attempt);
    // Only now: of a chat that was joined meanwhile, its lane must not find the delivery in flight.
    else if (ended && first) this.wake(ended.chat);
    return ended && ended.chat;
  }

  /** A place at the gate for what may be sent as soon as it is stored; else null. */
  #claim(chat: ChatId, first: NewDelivery): Attempt | null {
    const able = this.#stopping || this.#lanes.has(chat) ? null : this.#able(chat);
    if (!able) return null;
    const { stored, channel } = able;
    const gate = this.#inFlight.gateOf(stored.source, "send");
    if (!gate.enter(chat, channel.pace).in) return null;
    const delivery = newDelivery(chat, first, this.#options.clock.now());
    return this.#inFlight.begin({ stored, channel, delivery, gate });
  }

  /** A chat whose account may send now: its channel is ready, and nothing holds it; else null. */
  #able(chat: ChatId): { stored: StoredChat; channel: Channel } | null {
    const stored = readable(() => this.#options.store.chat(chat));
    const channel = stored && this.#options.channelOf(stored.source);
    if (stored?.id !== chat || channel?.status().state !== "ready") return null;
    return this.#holds.reason(stored.source) ? null : { stored, channel };
  }

  /** `marked`: what goes first, and is marked `sending` already. */
  async #run(chat: ChatId, lane: Lane, marked: Attempt | null = null): Promise<void> {
    lane.busy = true;
    try {
      if (marked && (await this.#sendMarked(lane, marked)) === "wait" && !lane.again) return;
      while (!this.#stopping) {
        lane.again = false;
        const next = await this.#step(chat, lane);
        if (next === "again" || lane.again) continue;
        if (next === "empty") this.#lanes.delete(chat);
        break;
      }
    } catch (error) {
      this.#stumbled(error);
      if (!this.#stopping) this.#later(chat, lane, STORE_PAUSE);
    } finally {
      lane.busy = false;
    }
  }

  /** One look at the head of a lane: send it, or say why not now. */
  async #step(chat: ChatId, lane: Lane): Promise<"again" | "empty" | "wait"> {
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
    if (channel.status().state !== "ready") return this.#park(stored.source, chat);
    const due = this.#dueAt(delivery, channel);
    if (due > clock.now()) {
      this.#holds.tellsNothing(stored.source, chat);
      if (delivery.state === "sending") this.#unconfirmed.add(chat);
      if (delivery.updatedAt > clock.now()) return this.#remeasure(delivery);
      return this.#later(chat, lane, due - clock.now());
    }
    const asks = delivery.state === "sending" && channel.repeat === "ask";
    const gate = this.#inFlight.gateOf(stored.source, asks ? "ask" : "send");
    const entry = gate.enter(chat, asks ? channel.askPace : channel.pace);
    if (!entry.in) return entry.afterMs === null ? "wait" : this.#later(chat, lane, entry.afterMs);
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
    return await this.#sendMarked(lane, attempt);
  }

  /** Sends what is marked, what was marked as that was noted, and so on. */
  async #sendMarked(lane: Lane, first: Attempt): Promise<"again" | "wait"> {
    let attempt = first;
    try {
      for (;;) {
        const then = await this.#send(lane, attempt);
        if (typeof then === "string") return then;
        this.#inFlight.handOn(attempt.delivery.id);
        attempt = then;
      }
    } finally {
      this.#inFlight.end(attempt);
    }
  }

  /** Sends what is marked, and notes what became of it. Answers what goes next, if that is marked already. */
  async #send(lane: Lane, attempt: Attempt): Promise<"again" | "wait" | Attempt> {
    const { stored, channel, delivery, signal } = attempt;
    const result = await answerOf(channel, delivery, outgoing(stored, delivery), {
      log: this.#options.log,
      signal,
    });
    // Cut off by a stop, it stays in doubt: that is no try of which nobody answered. Else a status has settled it.
    const cut = signal.aborted && !result.ok && result.failure.retry;
    if (cut === "ambiguous" || (cut && cut !== "hold" && !this.#stopping)) return "again";
    const next = result.ok ? this.#next(attempt) : null;
    let pause: number | null;
    let marked = false;
    try {
      const settled = this.#settlement.settle(stored, channel, delivery, result);
      // In the commit that notes this one; where that fails, it is looked at anew.
      const marking = next && this.#options.store.markSending(next.delivery.id).catch(() => false);
      pause = await settled;
      marked = (await marking) === true;
    } finally {
      if (next && !marked) this.#inFlight.handOn(next.delivery.id);
    }
    if (next && marked) return next;
    if (pause === null || this.#stopping) return "again";
    this.#park(stored.source, stored.id);
    return this.#later(stored.id, lane, pause);
  }

  /** What goes after this one, with its place at the gate, where it may go as soon as it is marked; else null. */
  #next({ stored: { id: chat }, delivery, gate }: Attempt): Attempt | null {
    const { store, clock } = this.#options;
    const able = this.#stopping ? null : this.#able(chat);
    if (!able || gate !== this.#inFlight.gateOf(able.stored.source, "send")) return null;
    const next = readable(() => store.deliveryAfter(chat, delivery.id));
    if (next?.state !== "pending" || next.nextAt > clock.now()) return null;
    if (this.#inFlight.has(next.id) || !gate.again(chat, able.channel.pace)) return null;
    return this.#inFlight.begin({ ...able, delivery: next, gate });
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

  #park(source: Source, chat: ChatId): "wait" {
    const waiting = this.#stalled.get(sourceKey(source)) ?? new Set();
    this.#stalled.set(sourceKey(source), waiting.add(chat));
    return "wait";
  }

  #later(chat: ChatId, lane: Lane, ms: number): "wait" {
    lane.cancel?.();
    lane.cancel = this.#options.clock.after(ms, () => this.wake(chat));
    return "wait";
  }
}

/** null also where the store cannot be read: that is for the look at the lane to meet, which tells of it. */
function readable<T>(look: () => T | null): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
