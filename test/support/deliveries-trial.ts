import { beforeEach } from "bun:test";
import type { DeliveryState, SendFailure } from "../../src/channels/message.ts";
import type { AcceptOutcome, ChatId } from "../../src/store/contract.ts";
import { storeTrial, type StoreTrial } from "./store-trial.ts";
import { cloud, everybody, message } from "./store.ts";

export const failure: SendFailure = {
  retry: "no",
  afterMs: null,
  code: "131026",
  hint: "undeliverable",
};

export const delivery = (id: string) => ({
  id,
  content: { kind: "text" as const, text: id, quote: null },
});

/** A store with two deliveries, d1 and d2, of one chat; all of it new for each test. */
export interface DeliveriesTrial extends StoreTrial {
  chat: ChatId;
  /** The platform says so of one of its messages. */
  status(
    state: DeliveryState,
    platformId?: string,
    deliveryId?: string | null,
    pauseAfter?: () => number | null,
  ): Promise<AcceptOutcome>;
}

/** To be called once, where a file's tests begin. */
export function deliveriesTrial(): DeliveriesTrial {
  const trial = storeTrial() as DeliveriesTrial;
  trial.status = (state, platformId = "wamid.out", deliveryId = "d1", pauseAfter = () => null) =>
    trial.store.accept(
      cloud,
      [
        {
          kind: "status",
          status: {
            platformId,
            deliveryId,
            state,
            timestamp: 1,
            failure: state === "failed" ? failure : null,
          },
        },
      ],
      { ...everybody, pauseAfter },
    );
  beforeEach(async () => {
    const events = [{ kind: "message" as const, message: message() }];
    const outcome = await trial.store.accept(cloud, events, everybody);
    trial.chat = outcome.admitted[0]?.chat ?? 0;
    await trial.store.enqueue(trial.chat, [delivery("d1"), delivery("d2")]);
  });
  return trial;
}
