import { z } from "zod";
import type { InboundEvent, Sender } from "../../message.ts";
import { readContent } from "./content.ts";
import { optionalId, optionalText, parseMessage, type RawMessage } from "./shapes.ts";

const reactionShape = z.object({ message_id: optionalId, emoji: optionalText });
const revokeShape = z.object({ original_message_id: optionalId });
const editShape = z.object({
  original_message_id: optionalId,
  message: z.unknown().optional(),
});

/** Types of messages that speak of an earlier one. */
export const targetedTypes: ReadonlySet<string> = new Set(["reaction", "edit", "revoke"]);

/** A reaction (no emoji: taken back), an edit or a revoke; null where it names no target. */
export function readTargeted(type: string, raw: RawMessage, sender: Sender): InboundEvent | null {
  if (type === "reaction") {
    const { data } = reactionShape.safeParse(raw.part(type));
    if (data?.message_id === undefined) return null;
    return { kind: "reaction", targetId: data.message_id, emoji: data.emoji || null, sender };
  }
  if (type === "revoke") {
    const { data } = revokeShape.safeParse(raw.part(type));
    if (data?.original_message_id === undefined) return null;
    return { kind: "revoke", targetId: data.original_message_id, sender };
  }
  const { data } = editShape.safeParse(raw.part(type));
  const edited = parseMessage(data?.message);
  if (data?.original_message_id === undefined || edited?.type === undefined) return null;
  const content = readContent(edited.type, edited);
  const text = "ignored" in content ? "" : content.text;
  return { kind: "edit", targetId: data.original_message_id, text, sender };
}
