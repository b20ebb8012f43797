import type { Message, Sender } from "../channels/message.ts";
import type { AcceptRules } from "./contract.ts";

export const direct = { kind: "direct" } as const;
export const someGroup = { kind: "group", id: "" } as const;

/** Can a message of theirs be admitted, wherever it stands? What a mention gate finds amiss is its words alone. */
export function mayWrite(sender: Sender, rules: AcceptRules): boolean {
  return [direct, someGroup].some((chat) => {
    const verdict = rules.admit(wordsOf(sender, chat, ""));
    return verdict.admitted || verdict.reason.startsWith("mention_");
  });
}

/** A message with nothing but its words, for the admission to judge. */
export function wordsOf(sender: Sender, chat: Message["chat"], text: string): Message {
  return {
    id: "",
    chat,
    sender,
    type: "text",
    text,
    timestamp: 0,
    replyTo: null,
    forwarded: false,
    attachments: [],
    fromMe: false,
    mentionsMe: false,
    backlog: false,
  };
}
