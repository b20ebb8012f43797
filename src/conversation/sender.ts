import type { Channel } from "../channels/channel.ts";
import type { Clock } from "../runtime/clock.ts";
import type {
  ChatId,
  ConversationStore,
  NewDelivery,
  Source,
  StoredChat,
} from "../store/contract.ts";
import type { Logger } from "../telemetry/log.ts";
import { answerOf, newDelivery, outgoing } from "./delivery.ts";
import type { Holds } from "./holds.ts";
import type { Attempt, InFlight } from "./in-flight.ts";
import type { Lane, Lanes } from "./lanes.ts";
import type { Settlement } from "./settlement.ts";

export interface SenderOptions {
  store: ConversationStore;
  channelOf(source: Source): Channel | undefined;
  clock: Clock;
  log: Logger;
  lanes: Lanes;
  inFlight: InFlight;
  holds: Holds;
  settlement: Settlement;
  stopping(): boolean;
}

/** Sends what is marked `sending`, and what follows it in its chat, each marked in the commit that notes the one before. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** A place at the gate for what may be sent as soon as it is stored; else null. */
  claim(chat: ChatId, first: NewDelivery): Attempt | null {
    const able = this.#options.stopping() ? null : this.#able(chat);
    if (!able) return null;
    const { stored, channel } = able;
    const gate = this.#options.inFlight.gateOf(stored.source, "send");
    if (!gate.enter(chat, channel.pace).in) return null;
    const delivery = newDelivery(chat, first, this.#options.clock.now());
    return this.#options.inFlight.begin({ stored, channel, delivery, gate });
  }

  /** A chat whose account may send now: its channel is ready, and nothing holds it; else null. */
  #able(chat: ChatId): { stored: StoredChat; channel: Channel } | null {
    const stored = readable(() => this.#options.store.chat(chat));
    const channel = stored && this.#options.channelOf(stored.source);
    if (stored?.id !== chat || channel?.status().state !== "ready") return null;
    return this.#options.holds.reason(stored.source) ? null : { stored, channel };
  }

  /** Sends what is marked, what was marked as that was noted, and so on. */
  async sendMarked(lane: Lane, first: Attempt): Promise<"again" | "wait"> {
    let attempt = first;
    try {
      for (;;) {
        const then = await this.#send(lane, attempt);
        if (typeof then === "string") return then;
        this.#options.inFlight.handOn(attempt.delivery.id);
        attempt = then;
      }
    } finally {
      this.#options.inFlight.end(attempt);
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
    if (cut === "ambiguous" || (cut && cut !== "hold" && !this.#options.stopping())) return "again";
    const next = result.ok ? this.#next(attempt) : null;
    let pause: number | null;
    let marked = false;
    try {
      const settled = this.#options.settlement.settle(stored, channel, delivery, result);
      // In the commit that notes this one; where that fails, it is looked at anew.
      const marking = next && this.#options.store.markSending(next.delivery.id).catch(() => false);
      pause = await settled;
      marked = (await marking) === true;
    } finally {
      if (next && !marked) this.#options.inFlight.handOn(next.delivery.id);
    }
    if (next && marked) return next;
    if (pause === null || this.#options.stopping()) return "again";
    this.#options.lanes.park(stored.source, stored.id);
    return this.#options.lanes.later(stored.id, lane, pause);
  }

  /** What goes after this one, with its place at the gate, where it may go as soon as it is marked; else null. */
  #next({ stored: { id: chat }, delivery, gate }: Attempt): Attempt | null {
    const { store, clock } = this.#options;
    const able = this.#options.stopping() ? null : this.#able(chat);
    if (!able || gate !== this.#options.inFlight.gateOf(able.stored.source, "send")) return null;
    const next = readable(() => store.deliveryAfter(chat, delivery.id));
    if (next?.state !== "pending" || next.nextAt > clock.now()) return null;
    if (this.#options.inFlight.has(next.id) || !gate.again(chat, able.channel.pace)) return null;
    return this.#options.inFlight.begin({ ...able, delivery: next, gate });
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
