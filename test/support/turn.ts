import type { TurnMessage, TurnRequest } from "../../src/agent/agent.ts";

/** A turn with one text message, each part replaceable. */
export function turn(changes: Partial<TurnRequest> = {}): TurnRequest {
  return {
    turn_id: "turn-1",
    channel: "whatsapp",
    backend: "cloud",
    chat: { id: "+15550001111", kind: "direct" },
    messages: [message()],
    history: [],
    ...changes,
  };
}

export function message(changes: Partial<TurnMessage> = {}): TurnMessage {
  return {
    id: "wamid.1",
    type: "text",
    text: "hi",
    timestamp: 1_699_999_999,
    sender: { phone: "+15550001111", user_id: null, lid: null, username: null, name: "Ada" },
    reply_to: null,
    forwarded: false,
    attachments: [],
    ...changes,
  };
}
