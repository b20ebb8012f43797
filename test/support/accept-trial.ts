import type { InboundEvent, Message } from "../../src/channels/message.ts";
import type { AcceptRules, ChatId } from "../../src/store/contract.ts";
import { storeTrial } from "./store-trial.ts";
import { cloud, everybody } from "./store.ts";

/** A store that messages come to. To be called once, where a file's tests begin. */
export function acceptTrial() {
  const trial = storeTrial();
  const accept = (messages: Message[], rules: AcceptRules = everybody) =>
    trial.store.accept(
      cloud,
      messages.map((each): InboundEvent => ({ kind: "message", message: each })),
      rules,
    );
  return {
    trial,
    accept,
    /** The chat that a message goes to. */
    async chatOf(each: Message): Promise<ChatId> {
      const { admitted } = await accept([each]);
      const chat = admitted[0]?.chat;
      if (chat === undefined) throw new Error("not admitted");
      return chat;
    },
    /** Ends a turn of these messages, which has nothing to say. */
    finish: (chat: ChatId, messages: number[]) =>
      trial.store.finishTurn({
        chat,
        turnId: "turn",
        messages,
        history: [],
        keepHistory: 40,
        deliveries: [],
      }),
  };
}
