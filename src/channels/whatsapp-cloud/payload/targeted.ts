import * as v from "valibot";
import { once } from "../../../runtime/once.ts";
import type { InboundEvent, Sender } from "../../message.ts";
import { readContent } from "./content.ts";
import { jsonObject } from "../../../net/json-object.ts";
import { optionalId, optionalText, parseMessage, type RawMessage } from "./shapes.ts";

const reactionShape = once(() => jsonObject({ message_id: optionalId, emoji: optionalText }));
const revokeShape = once(() => jsonObject({ original_message_id: optionalId }));
const editShape = once(() =>
  jsonObject({
    original_message_id: optionalId,
    message: v.optional(v.unknown()),
  }),
);

/** Types of messages that speak of an earlier one. */
export const targetedTypes: ReadonlySet<string> = new Set(["reaction", "edit", "revoke"]);

/** A reaction (no emoji: taken back), an edit (made `at`, Unix seconds) or a revoke; null where it names no target. */
export function readTargeted(
  type: string,
  raw: RawMessage,
  sender: Sender,
  at: number,
): InboundEvent | null {
  const part = raw.part(type);
  if (type === "reaction") {
    const reaction = v.safeParse(reactionShape(), part);
    if (!reaction.success || reaction.output.message_id === undefined) return null;
    const { message_id: targetId, emoji } = reaction.output;
    return { kind: "reaction", targetId, emoji: emoji || null, sender };
  }
  if (type === "revoke") {
    const revoke = v.safeParse(revokeShape(), part);
    if (!revoke.success || revoke.output.original_message_id === undefined) return null;
    return { kind: "revoke", targetId: revoke.output.original_message_id, sender };
  }
  const edit = v.safeParse(editShape(), part);
  if (!edit.success || edit.output.original_message_id === undefined) return null;
  const edited = parseMessage(edit.output.message);
  if (edited?.type === undefined) return null;
  const content = readContent(edited.type, edited);
  const text = "ignored" in content ? "" : content.text;
  return { kind: "edit", targetId: edit.output.original_message_id, text, sender, at };
}
