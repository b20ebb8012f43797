import type { TurnMessage } from "../agent/agent.ts";
import type { Channel } from "../channels/channel.ts";
import type { PendingMessage } from "../store/contract.ts";

/** A stored message as an agent sees it. */
export async function prepareMessage(
  _channel: Channel,
  entry: PendingMessage,
  _signal: AbortSignal,
): Promise<TurnMessage> {
  const { message } = entry;
  return {
    id: message.id,
    type: message.type,
    text: message.text,
    timestamp: message.timestamp,
    sender: {
      phone: message.sender.phone,
      user_id: message.sender.userId,
      lid: message.sender.lid,
      username: message.sender.username,
      name: message.sender.name,
    },
    reply_to: message.replyTo,
    forwarded: message.forwarded,
    attachments: [],
  };
}
