import type { Companion } from "./companion.ts";
import type { ChatState } from "./phone.ts";
import type { WhatsAppDouble } from "./server.ts";
import { type BinaryNode, attribute, children } from "./stanza.ts";

/** `<presence>`: whether the linked device is in use, which one without a type says as well. */
export function acceptPresence(self: Companion, node: BinaryNode): void {
  const { type = "available" } = node.attrs;
  if (type !== "available" && type !== "unavailable") return;
  self.presence = type;
  self.presences.add(type);
}

/** `<chatstate>`: typing, recording or neither, shown on the phone it is for. */
export function acceptChatState(double: WhatsAppDouble, self: Companion, node: BinaryNode): void {
  const [what] = children(node);
  if (!what) return;
  const recording = what.tag === "composing" && what.attrs.media === "audio";
  const state: ChatState["state"] = recording
    ? "recording"
    : what.tag === "composing"
      ? "composing"
      : "paused";
  const to = attribute(node, "to");
  const seen = { from: self.account.number, state };
  const group = double.groups.get(to);
  const accounts = group ? group.members : [double.directory.find(to)];
  for (const account of accounts) double.phoneOf(account)?.chatStates.add(seen);
}
