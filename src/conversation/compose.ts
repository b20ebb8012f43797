import type { AgentPart, TurnRequest } from "../agent/agent.ts";
import type { Channel } from "../channels/channel.ts";
import type { DeliveryContent } from "../channels/message.ts";
import { chunkText, textLimit } from "../channels/text.ts";

/** Longest caption, characters (Meta: media messages). */
const MAX_CAPTION = 1024;

export interface ComposeOptions {
  /** Files that wait to be sent; they go with their message. */
  mediaFolder: string;
  /** `[agent] media_dir`. */
  mediaDir: string | null;
  /** Notes a file that goes when the turn's first message goes. */
  keep(messageId: number, file: { path: string; bytes: number }): Promise<void>;
}

/** The store's key of the message whose retention the files of this answer share. */
export interface ComposeTurn {
  messageId: number;
}

/** An agent's answer as deliveries, in its order. Throws {@link AgentError} where a file may not or cannot be sent. */
export function replyComposer(options: ComposeOptions) {
  return async (
    channel: Channel,
    request: TurnRequest,
    turn: ComposeTurn,
    parts: AgentPart[],
  ): Promise<DeliveryContent[]> => {
    const contents: DeliveryContent[] = [];
    for (const [index, part] of parts.entries()) {
      if (part.kind === "text") {
        const quote = part.replyTo ?? null;
        const whole = part.text.toWellFormed();
        const pieces = part.verbatim ? chunkText(whole, textLimit) : channel.renderText(whole);
        pieces.forEach((text, piece) => {
          contents.push({ kind: "text", text, quote: piece === 0 ? quote : null });
        });
      } else if (part.kind === "reaction") {
        const target = request.messages.at(-1);
        if (target) contents.push({ kind: "reaction", targetId: target.id, emoji: part.emoji });
      } else {
        const words = part.caption === null ? [] : channel.renderText(part.caption.toWellFormed());
        const [first = null] = words;
        // No platform shows a caption under sound, and none takes a long one.
        const fits = part.media !== "audio" && words.length === 1 && first !== null;
        const caption = fits && first.length <= MAX_CAPTION ? first : null;
        const { mediaContent } = await import("./media-content.ts");
        contents.push(await mediaContent(options, request, turn, { ...part, caption }, index));
        if (caption === null) {
          for (const text of words) contents.push({ kind: "text", text, quote: null });
        }
      }
    }
    return contents;
  };
}
