import type { DeliveryState, StatusUpdate } from "../channels/message.ts";

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
  readonly #statuses = new Map<string, StatusUpdate>();

  note(status: StatusUpdate): void {
    const before = this.#statuses.get(status.platformId);
    if (before && progress[status.state] <= progress[before.state]) return;
    this.#statuses.delete(status.platformId);
    this.#statuses.set(status.platformId, status);
    if (this.#statuses.size <= MOST) return;
    for (const oldest of this.#statuses.keys()) {
      this.#statuses.delete(oldest);
      break;
    }
  }

  of(platformId: string): StatusUpdate | undefined {
    return this.#statuses.get(platformId);
  }
}
