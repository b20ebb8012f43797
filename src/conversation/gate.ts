import type { Pace } from "../channels/channel.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ChatId } from "../store/contract.ts";
import { Pacer } from "./pace.ts";

/** Requests to one platform account at once, over all its chats. */
const MAX_IN_FLIGHT = 64;

export interface GateOptions {
  clock: Clock;
  /** This chat may try once more to enter. Called synchronously; it need not come. */
  wake(chat: ChatId): void;
}

interface AccountQueue {
  pacer: Pacer;
  waiting: Set<ChatId>;
  timer: (() => void) | null;
}

export type Entry =
  /** In, with a place that {@link Gate.leave} gives back. */
  | { in: true }
  /** Come back after so long; null: the gate wakes the chat. */
  | { in: false; afterMs: number | null };

/**
 * Who of one account may send now: so many requests at once, the account at its platform's pace, a recipient at theirs.
 * Chats that wait for a place or for the pace stand in line, so that ten thousand of them cost one timer and not one
 * each.
 */
export class Gate {
  readonly #options: GateOptions;
  #line: AccountQueue | null = null;
  /** Chats that wait for a place. */
  readonly #crowd = new Set<ChatId>();
  #inFlight = 0;
  /** The chat whose turn it is in its account's line. */
  #called: ChatId | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  enter(chat: ChatId, pace: Pace | undefined): Entry {
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      this.#crowd.add(chat);
      return { in: false, afterMs: null };
    }
    const wait = this.#take(chat, pace);
    if (wait !== 0) return { in: false, afterMs: wait };
    this.#crowd.delete(chat);
    this.#inFlight++;
    return { in: true };
  }

  /** Lets the chat that is in send once more from its place; false where others wait for one, or its pace says later. */
  again(chat: ChatId, pace: Pace | undefined): boolean {
    return this.#crowd.size === 0 && this.#take(chat, pace) === 0;
  }

  /** Takes what one send costs of the pace: 0; else ms to wait, or null: the chat stands in its account's line. */
  #take(chat: ChatId, pace: Pace | undefined): number | null {
    if (!pace) return 0;
    const now = this.#options.clock.now();
    const queue = this.#queue(pace);
    const recipient = queue.pacer.recipientWait(chat, now);
    if (recipient > 0) {
      queue.waiting.delete(chat);
      return recipient;
    }
    const behind = queue.waiting.size > 0 && this.#called !== chat;
    if (behind || queue.pacer.accountWait(now) > 0) {
      queue.waiting.add(chat);
      this.#schedule(queue);
      return null;
    }
    queue.pacer.take(chat, now);
    return 0;
  }

  leave(): void {
    this.#inFlight--;
    // Whoever is woken may have nothing to send any more: then the next one gets the place.
    for (const chat of this.#crowd) {
      if (this.#inFlight >= MAX_IN_FLIGHT) return;
      this.#crowd.delete(chat);
      this.#options.wake(chat);
    }
    if (this.#line) this.#call(this.#line);
  }

  /** Lets in line by line, as far as places and pace go. */
  #call(queue: AccountQueue): void {
    const { clock, wake } = this.#options;
    for (const chat of queue.waiting) {
      if (this.#inFlight >= MAX_IN_FLIGHT) return;
      if (queue.pacer.accountWait(clock.now()) > 0) return this.#schedule(queue);
      queue.waiting.delete(chat);
      this.#called = chat;
      wake(chat);
      this.#called = null;
    }
  }

  #schedule(queue: AccountQueue): void {
    if (queue.timer) return;
    const { clock } = this.#options;
    const wait = Math.max(1, queue.pacer.accountWait(clock.now()));
    queue.timer = clock.after(wait, () => {
      queue.timer = null;
      this.#call(queue);
    });
  }

  #queue(pace: Pace): AccountQueue {
    if (!this.#line) {
      const pacer = new Pacer(pace, this.#options.clock.now());
      this.#line = { pacer, waiting: new Set(), timer: null };
    }
    return this.#line;
  }
}
