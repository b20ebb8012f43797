import type { EventEmitter } from "node:events";
import type { BinaryNode } from "@whiskeysockets/baileys";

const NOTIFICATION = "CB:notification";

/**
 * Chat settings of the phone (archived, muted, …) are of no use here, and Baileys fetches them with a fetch of its own
 * that knows no proxy. Has the notification acknowledged and keeps it from whoever listens by now.
 */
export function skipAppState(
  emitter: Pick<EventEmitter, "listeners" | "removeAllListeners" | "on">,
  acknowledge: (node: BinaryNode) => void,
): void {
  const listeners = emitter.listeners(NOTIFICATION);
  emitter.removeAllListeners(NOTIFICATION);
  emitter.on(NOTIFICATION, (node: BinaryNode) => {
    if (node.attrs.type === "server_sync") return acknowledge(node);
    for (const listener of listeners) Reflect.apply(listener, emitter, [node]);
  });
}
