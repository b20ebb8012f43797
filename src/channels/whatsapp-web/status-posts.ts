import type { EventEmitter } from "node:events";
import type { BinaryNode } from "@whiskeysockets/baileys";

const MESSAGE = "CB:message";
/** How newer servers bring the same; Baileys 7.0.0-rc14 does not know it, and leaves it unacknowledged. */
const STATUS = "CB:status";

/**
 * Status posts are no messages of a chat, so they are acknowledged unread and kept from whoever listens by now. Baileys
 * refuses those it cannot read, and WhatsApp keeps a refused one: it comes again first at each login, and all that waits
 * behind it is withheld. One that is never acknowledged ends the connection again and again.
 */
export function skipStatusPosts(
  emitter: Pick<EventEmitter, "listeners" | "removeAllListeners" | "on">,
  acknowledge: (node: BinaryNode) => void,
): void {
  const listeners = emitter.listeners(MESSAGE);
  emitter.removeAllListeners(MESSAGE);
  emitter.on(MESSAGE, (node: BinaryNode) => {
    if (node.attrs.from === "status@broadcast") return acknowledge(node);
    for (const listener of listeners) Reflect.apply(listener, emitter, [node]);
  });
  emitter.on(STATUS, acknowledge);
}
