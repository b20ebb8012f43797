import type { Agent, TurnMessage } from "./agent.ts";
import { describeAttachment } from "./attachment.ts";

/** Says back what it was told, at once: for trying a channel out, and for `revka demo`. */
export function createEchoAgent(): Agent {
  return {
    kind: "echo",
    async run(request, signal) {
      signal.throwIfAborted();
      const text = request.messages.map(echo).filter(Boolean).join("\n");
      return { parts: text === "" ? [] : [{ kind: "text", text, verbatim: true }] };
    },
    async probe() {
      return "the echo agent is always there";
    },
  };
}

function echo(message: TurnMessage): string {
  return [message.text, ...message.attachments.map(describeAttachment)].filter(Boolean).join("\n");
}
