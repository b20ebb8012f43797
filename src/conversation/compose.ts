import type { AgentPart, TurnRequest } from "../agent/agent.ts";
import type { Channel } from "../channels/channel.ts";
import type { DeliveryContent } from "../channels/message.ts";

/** An agent's answer as deliveries, in its order. */
export async function composeReply(
  channel: Channel,
  request: TurnRequest,
  parts: AgentPart[],
  _signal: AbortSignal,
): Promise<DeliveryContent[]> {
  const contents: DeliveryContent[] = [];
  for (const part of parts) {
    if (part.kind === "text") {
      for (const text of channel.renderText(part.text)) {
        contents.push({ kind: "text", text, quote: null });
      }
    } else if (part.kind === "reaction") {
      const target = request.messages.at(-1);
      if (target) contents.push({ kind: "reaction", targetId: target.id, emoji: part.emoji });
    }
  }
  return contents;
}
