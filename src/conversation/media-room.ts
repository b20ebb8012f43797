import type { ConversationStore } from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";

const alarm = "store.media";

/** Is there room for one more attachment? Where there is none, an alarm says what to do, until there is. */
export function hasMediaRoom(options: {
  store: ConversationStore;
  /** All attachments together, bytes. */
  maxMediaBytes: number;
  alarms: Alarms;
}): boolean {
  const { store, maxMediaBytes, alarms } = options;
  const room = store.attachmentBytes() <= maxMediaBytes;
  if (room) alarms.clear(alarm);
  else {
    alarms.raise(
      alarm,
      "full",
      "The space for attachments is used up, and new ones are not fetched: raise `[store] max_media_bytes`, or lower `retention_days`.",
    );
  }
  return room;
}
