import type { Channel } from "../channels/channel.ts";
import type { Delivery, SendFailure } from "../channels/message.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ConversationStore, StoredChat, StoredDelivery } from "../store/contract.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Settlement } from "./settlement.ts";

/** How long a platform is asked for one delivery that it does not tell of, ms: the chat waits meanwhile. */
const ASKED_FOR = 3_600_000;

export interface DoubtOptions {
  store: ConversationStore;
  clock: Clock;
  log: Logger;
  settlement: Settlement;
  /** Aborted when the daemon stops. */
  signal: AbortSignal;
}

/** What became of sends whose answers are missing, where the platform can be asked. */
export class Doubt {
  constructor(readonly options: DoubtOptions) {}

  /** Asks for one of them. True where nobody can say, so that it is to be sent again all the same. */
  async ask(
    channel: Channel,
    stored: StoredChat,
    delivery: StoredDelivery,
    asked: Delivery,
  ): Promise<boolean> {
    const { store, clock, log, settlement, signal } = this.options;
    const { createdAt, updatedAt } = delivery;
    // Of a clock that was set back since, nobody knows when that was by the clock as it is now.
    const since = createdAt > updatedAt ? 0 : createdAt;
    const answer = await channel.findSent?.(asked, since, signal);
    if (!answer) return true;
    const about = { channel: channel.name, delivery: delivery.id };
    if (!answer.ok) {
      const { failure } = answer;
      if (signal.aborted) return false;
      const late = answersNever(failure) && clock.now() - createdAt > ASKED_FOR;
      if (!late && failure.retry !== "no") {
        await settlement.stillInDoubt(stored, delivery, failure);
        return false;
      }
      log.warn(
        { ...about, code: failure.code },
        `whether a send without an answer arrived cannot be found out: ${failure.hint}`,
      );
      return true;
    }
    const platformId = this.#ofNoOther(answer.found, delivery.id);
    if (platformId === null) {
      log.info(about, "a send without an answer had not arrived: sending it again");
      await store.markNotSent(delivery.id);
    } else {
      log.info(about, "a send without an answer had arrived: it is not repeated");
      await settlement.settle(stored, channel, delivery, { ok: true, platformId });
    }
    return false;
  }

  /**
   * What the platform has sent of other deliveries, or of a try of this one that failed, is known by its id and is not
   * this one, though it may read the same.
   */
  #ofNoOther(found: string[][], delivery: string): string | null {
    for (const ids of found) {
      const known = ids.some((id) => this.options.store.knowsSend(id, delivery));
      if (!known && ids[0] !== undefined) return ids[0];
    }
    return null;
  }
}

/** It could be asked, and did not say: nothing tells that it ever will. */
function answersNever({ retry }: SendFailure): boolean {
  return retry === "ambiguous" || retry === "backoff";
}
