import type { Channel, TurnFocus } from "../channels/channel.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import { onceLoaded } from "../runtime/once.ts";
import {
  StoreError,
  type ChatId,
  type ConversationStore,
  type FinishedTurn,
  type Source,
  type StoredChat,
} from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { burstDue, longestBurst, takeBurst } from "./burst.ts";
import { toDelivery } from "./delivery.ts";
import { reasonOf } from "./reason.ts";
import { STORE_PAUSE } from "./settlement.ts";
import type { TurnResult, TurnWork } from "./turn.ts";

/** Messages looked at when a burst is gathered; more wait for the next turn. */
const MAX_BURST = 50;

export interface TurnsOptions {
  store: ConversationStore;
  channelOf(source: Source): Channel | undefined;
  work: TurnWork;
  debounceMs: number;
  maxConcurrent: number;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  alarms: Alarms;
  /** Keeps what a turn ended with, and sends its deliveries; as {@link ConversationStore.finishTurn}. */
  finish(turn: FinishedTurn): Promise<ChatId | null>;
  /** Deliveries of this chat are on disk. */
  onDeliveries(chat: ChatId): void;
}

interface Lane {
  state: "waiting" | "queued" | "running";
  /** A message came while the turn ran: look once more. */
  again: boolean;
  cancel: (() => void) | null;
}

/** Loaded with the first turn: a start needs nothing of it. */
const turnCode = onceLoaded(() => import("./turn.ts"));

/**
 * Runs the agent: one turn of a chat at a time, chats side by side up to `maxConcurrent`, first come first served. A
 * chat with more to say goes to the back of the queue after each turn, so a flood delays only itself.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #lanes = new Map<ChatId, Lane>();
  readonly #queue: ChatId[] = [];
  readonly #abort = new AbortController();
  readonly #closing = new AbortController();
  #running = 0;
  #stopping = false;
  #idle: (() => void) | null = null;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes up what an earlier run left waiting. */
  start(): void {
    for (const chat of this.#options.store.chatsWithPendingMessages()) this.wake(chat);
  }

  /** A message of this chat is on disk, or the chat was resumed. */
  wake(chat: ChatId): void {
    if (this.#stopping) return;
    const lane = this.#lanes.get(chat);
    if (lane?.state === "running" || lane?.state === "queued") {
      lane.again = true;
      return;
    }
    lane?.cancel?.();
    const due = this.#due(chat);
    if (due === null) {
      this.#lanes.delete(chat);
      return;
    }
    const wait = due - this.#options.clock.now();
    if (wait > 0) {
      const cancel = this.#options.clock.after(wait, () => this.#enqueue(chat));
      this.#lanes.set(chat, { state: "waiting", again: false, cancel });
    } else {
      this.#enqueue(chat);
    }
  }

  /** Starts nothing new and waits for running turns; past `graceMs` they are cut off and begin anew next time. */
  async drain(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#closing.abort(new Error("the daemon is stopping"));
    this.#queue.length = 0;
    for (const lane of this.#lanes.values()) lane.cancel?.();
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(graceMs, () => {
        this.#abort.abort(new Error("the daemon is stopping"));
        // The aborted turns settle in their own time; a second is theirs.
        this.#options.clock.after(1000, resolve);
      });
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
  }

  /** When the next turn of a chat may begin; null where nothing waits. */
  #due(chat: ChatId): number | null {
    const { debounceMs, store } = this.#options;
    if (debounceMs <= 0) return 0;
    try {
      const waiting = store.pendingMessages(chat, MAX_BURST);
      const latest = this.#options.clock.now() + longestBurst(debounceMs);
      if (waiting.length > 0) return Math.min(burstDue(waiting, debounceMs), latest);
      // Of a chat that was joined with another, its turn hands on to that one.
      return store.chat(chat)?.id === chat ? null : 0;
    } catch {
      // A store that cannot be read is for the turn to meet, which then pauses.
      return 0;
    }
  }

  #enqueue(chat: ChatId): void {
    if (this.#stopping) return;
    this.#lanes.set(chat, { state: "queued", again: false, cancel: null });
    this.#queue.push(chat);
    this.#pump();
  }

  #pump(): void {
    while (this.#running < this.#options.maxConcurrent && !this.#stopping) {
      const chat = this.#queue.shift();
      if (chat === undefined) return;
      const lane: Lane = { state: "running", again: false, cancel: null };
      this.#lanes.set(chat, lane);
      this.#running++;
      void this.#run(chat, lane);
    }
  }

  async #run(chat: ChatId, lane: Lane): Promise<void> {
    let pause = 0;
    let took = false;
    try {
      took = await this.#turn(chat);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        pause = STORE_PAUSE;
        const reason = reasonOf(error);
        this.#options.log.error({ chat, reason }, "a turn could not be finished; it is repeated");
      }
    }
    this.#running--;
    this.#lanes.delete(chat);
    if (this.#stopping) {
      if (this.#running === 0) this.#idle?.();
      return;
    }
    if (pause > 0) {
      const cancel = this.#options.clock.after(pause, () => this.#enqueue(chat));
      this.#lanes.set(chat, { state: "waiting", again: false, cancel });
    } else if (took || lane.again) {
      this.wake(chat);
    }
    this.#pump();
  }

  /** True where a turn was run, so that there may be more. */
  async #turn(chat: ChatId): Promise<boolean> {
    const { store, work, metrics, clock, log } = this.#options;
    const stored = store.chat(chat);
    const channel = stored && this.#options.channelOf(stored.source);
    if (!stored || !channel || stored.paused) return false;
    // Joined with another chat, which now has what waited here.
    if (stored.id !== chat) this.wake(stored.id);
    const { debounceMs } = this.#options;
    const waiting = store.pendingMessages(chat, debounceMs > 0 ? MAX_BURST : 1);
    const burst = takeBurst(waiting, debounceMs);
    if (burst.length === 0) return false;
    const speaksAs = work.speak ? store.speaksAs(chat) : null;
    const focus = focusOf(stored, burst);
    channel.turnStarted(focus);
    const began = clock.now();
    const stopTimer = metrics.turnStarted();
    let speak: TurnResult["speak"];
    try {
      const { runTurn } = await turnCode();
      const turn = await runTurn(work, channel, stored, burst, {
        signal: this.#abort.signal,
        closing: this.#closing.signal,
      });
      const current = await this.#kept(() => this.#options.finish(turn.finished));
      const outcome = current === null ? "overtaken" : turn.outcome;
      const deliveries = current === null ? 0 : turn.finished.deliveries.length;
      metrics.turns.inc({ outcome });
      log.info({ chat, outcome, deliveries, ms: clock.now() - began }, "turn ended");
      if (current !== null) speak = turn.speak;
    } finally {
      stopTimer();
      channel.turnEnded(focus);
    }
    if (speak) await this.#speak(chat, speak, speaksAs);
    return true;
  }

  /** The voice note after an answer: before the chat's next turn, but nothing that a turn could fail by. */
  async #speak(
    chat: ChatId,
    speak: NonNullable<TurnResult["speak"]>,
    speaksAs: string | null,
  ): Promise<void> {
    const { store, clock, log } = this.#options;
    const note = await speak(this.#abort.signal);
    if (!note) return;
    try {
      const deliveries = [toDelivery(note, clock.now())];
      this.#options.onDeliveries(await store.enqueue(chat, deliveries, speaksAs));
    } catch (error) {
      const reason = reasonOf(error);
      log.warn({ chat, reason }, "a voice note could not be stored: the text went alone");
    }
  }

  /**
   * An answer that the store cannot take waits here until it can: to ask the agent again would cost once more, and
   * might say something else. Rejects when the daemon stops.
   */
  async #kept<T>(finish: () => Promise<T>): Promise<T> {
    const { alarms, clock } = this.#options;
    for (let failed = false; ; failed = true) {
      try {
        const done = await finish();
        if (failed) alarms.clear("store");
        return done;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        alarms.raise("store", error.problem, `The store cannot be used: ${error.message}`);
        await sleep(clock, STORE_PAUSE, this.#closing.signal);
      }
    }
  }
}

function focusOf(
  stored: StoredChat,
  burst: {
    message: {
      id: string;
      sender: { phone: string | null; userId: string | null; lid: string | null };
    };
  }[],
): TurnFocus {
  return {
    chat: stored.chat,
    recipient: stored.recipient,
    messages: burst.map(({ message }) => ({
      id: message.id,
      sender: {
        phone: message.sender.phone,
        userId: message.sender.userId,
        lid: message.sender.lid,
      },
    })),
  };
}
