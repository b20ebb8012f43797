import type { Channel } from "../channels/channel.ts";
import { sourceKey, type ConversationStore, type Source } from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";

/**
 * Raises an alarm for each account of the store that has something waiting and that the configuration no longer runs:
 * nothing of it is answered until the account is back, nor lost until `retention_days` are over.
 */
export function tellOfAbandoned(options: {
  store: ConversationStore;
  channelOf(source: Source): Channel | undefined;
  alarms: Alarms;
}): void {
  const { store, channelOf, alarms } = options;
  const chats = new Set([...store.chatsWithPendingMessages(), ...store.chatsWithOpenDeliveries()]);
  const waiting = new Map<string, { source: Source; chats: number }>();
  for (const chat of chats) {
    const source = store.chat(chat)?.source;
    if (!source || channelOf(source)) continue;
    const known = waiting.get(sourceKey(source))?.chats ?? 0;
    waiting.set(sourceKey(source), { source, chats: known + 1 });
  }
  let number = 0;
  for (const { source, chats: count } of waiting.values()) {
    const which = `${source.channel} (${source.backend})`;
    alarms.raise(
      `store.abandoned.${++number}`,
      "account_gone",
      `Messages or replies of ${count} ${count === 1 ? "chat" : "chats"} wait for an account of ${which} that the configuration no longer names: they go on when it is put back.`,
    );
  }
}
