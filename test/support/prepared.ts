import type { TurnMessage } from "../../src/agent/agent.ts";
import type { Channel } from "../../src/channels/channel.ts";
import type { PendingMessage } from "../../src/store/contract.ts";

/** A stored message as an agent sees it, without files. */
export async function prepared(_: Channel, { message }: PendingMessage): Promise<TurnMessage> {
  const { sender } = message;
  return {
    id: message.id,
    type: message.type,
    text: message.text,
    timestamp: message.timestamp,
    sender: {
      phone: sender.phone,
      user_id: sender.userId,
      lid: sender.lid,
      username: sender.username,
      name: sender.name,
    },
    reply_to: message.replyTo,
    forwarded: message.forwarded,
    attachments: [],
  };
}
