import type { ConversationStore } from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";

const alarm = "store.media";
/** A store that lives at its limit would be told of with every file. */
const clearBelow = 0.95;

/** Is there room for one more attachment? Where there is none, an alarm says what to do, until there is. */
export function hasMediaRoom(options: {
  store: ConversationStore;
  /** All attachments together, bytes. */
  maxMediaBytes: number;
  alarms: Alarms;
}): boolean {
  const { store, maxMediaBytes, alarms } = options;
  const bytes = store.attachmentBytes();
  const room = bytes <= maxMediaBytes;
  if (bytes <= maxMediaBytes * clearBelow) alarms.clear(alarm);
  else if (!room) {
    alarms.raise(
      alarm,
      "full",
      "The space for attachments is used up, and new ones are not fetched: raise `[store] max_media_bytes`, or lower `retention_days`.",
    );
  }
  return room;
}
