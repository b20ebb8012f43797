import type { Clock } from "../runtime/clock.ts";
import { sourceKey, type ChatId, type Source } from "../store/contract.ts";
import { STORE_PAUSE } from "./settlement.ts";

/** What a look at a lane came to: look once more, nothing is left, or somebody wakes it. */
export type Next = "again" | "empty" | "wait";

/** What of one chat goes one after the other. */
export interface Lane {
  busy: boolean;
  /** Woken while busy: look once more before it rests. */
  again: boolean;
  cancel: (() => void) | null;
}

export interface LanesOptions {
  clock: Clock;
  /** One look at the head of a lane. */
  step(chat: ChatId, lane: Lane): Promise<Next>;
  /** A look failed; it is repeated after a pause. */
  stumbled(error: unknown): void;
}

/** A lane for each chat that has something to do: looked at until it rests, by one at a time, chats side by side. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<ChatId, Lane>();
  /** Those that wait for their account, by account. */
  readonly #parked = new Map<string, Set<ChatId>>();
  #stopped = false;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  has(chat: ChatId): boolean {
    return this.#lanes.has(chat);
  }

  /** There may be something to do. */
  wake(chat: ChatId): void {
    if (this.#stopped) return;
    let lane = this.#lanes.get(chat);
    if (!lane) {
      lane = { busy: false, again: false, cancel: null };
      this.#lanes.set(chat, lane);
    }
    lane.cancel?.();
    lane.cancel = null;
    if (lane.busy) lane.again = true;
    else void this.run(chat, lane);
  }

  /** A busy lane for a chat that has none. It is run, or given up. */
  claim(chat: ChatId): Lane {
    const lane = { busy: true, again: false, cancel: null };
    this.#lanes.set(chat, lane);
    return lane;
  }

  giveUp(chat: ChatId, lane: Lane): void {
    this.#lanes.delete(chat);
    if (lane.again) this.wake(chat);
  }

  /** Looks until the lane rests, after `first` if there is one. */
  async run(chat: ChatId, lane: Lane, first?: () => Promise<Next>): Promise<void> {
    lane.busy = true;
    try {
      if (first && (await first()) === "wait" && !lane.again) return;
      while (!this.#stopped) {
        lane.again = false;
        const next = await this.#options.step(chat, lane);
        if (next === "again" || lane.again) continue;
        if (next === "empty") this.#lanes.delete(chat);
        break;
      }
    } catch (error) {
      this.#options.stumbled(error);
      if (!this.#stopped) this.later(chat, lane, STORE_PAUSE);
    } finally {
      lane.busy = false;
    }
  }

  /** Wakes the chat after so long, unless something wakes the lane before. */
  later(chat: ChatId, lane: Lane, ms: number): "wait" {
    lane.cancel?.();
    lane.cancel = this.#options.clock.after(ms, () => this.wake(chat));
    return "wait";
  }

  /** The chat waits for its account. */
  park(source: Source, chat: ChatId): "wait" {
    const parked = this.#parked.get(sourceKey(source)) ?? new Set();
    this.#parked.set(sourceKey(source), parked.add(chat));
    return "wait";
  }

  /** What waits for the account goes on. */
  resume(source: Source): void {
    const parked = this.#parked.get(sourceKey(source));
    this.#parked.delete(sourceKey(source));
    for (const chat of parked ?? []) this.wake(chat);
  }

  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) lane.cancel?.();
  }
}
