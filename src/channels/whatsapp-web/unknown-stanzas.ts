import type { EventEmitter } from "node:events";
import type { BinaryNode } from "@whiskeysockets/baileys";

/** What is answered by whoever knows it, or wants no answer. */
const known = new Set([
  ...["message", "status", "receipt", "notification", "call", "iq", "ack", "ib"],
  ...["presence", "chatstate", "success", "failure", "stream:error", "error"],
  ...["xmlstreamstart", "xmlstreamend"],
]);

/**
 * Has each stanza refused that nobody here knows, as WhatsApp Web does: one without an answer comes again at each login,
 * and WhatsApp ends the connection for it.
 */
export function refuseUnknownStanzas(
  emitter: Pick<EventEmitter, "on">,
  refuse: (node: BinaryNode) => void,
): void {
  emitter.on("frame", (frame: BinaryNode | Uint8Array) => {
    if (frame instanceof Uint8Array || known.has(frame.tag)) return;
    if (frame.attrs.id && frame.attrs.from) refuse(frame);
  });
}
