import type { DeliveryState, StatusUpdate } from "../channels/message.ts";
import { Newest } from "../runtime/newest.ts";

/** Messages remembered, the latest heard of; each is a few hundred bytes. */
const MOST = 1_000;

/** How far along each word of the platform is; a status never goes back. What has arrived has not failed. */
export const progress: Record<DeliveryState, number> = {
  sent: 1,
  failed: 2,
  delivered: 3,
  read: 4,
  played: 5,
};

/**
 * What was said of messages that nobody knows yet: a platform that does not name our delivery may speak of a message
 * before its answer tells what that is called. In memory alone, since after a crash that delivery is sent anew.
 */
export class EarlyStatuses {
  readonly #statuses = new Newest<StatusUpdate>(MOST);

  note(source: number, status: StatusUpdate): void {
    const key = keyOf(source, status.platformId);
    const before = this.#statuses.get(key);
    if (before && progress[status.state] <= progress[before.state]) return;
    this.#statuses.set(key, status);
  }

  of(source: number, platformId: string): StatusUpdate | undefined {
    return this.#statuses.get(keyOf(source, platformId));
  }
}

/** Names a message among those of all accounts. */
export function keyOf(source: number, platformId: string): string {
  return `${source} ${platformId}`;
}
