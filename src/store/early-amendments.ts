import type { InboundEvent } from "../channels/message.ts";
import { Newest } from "../runtime/newest.ts";

export type Amendment = Extract<InboundEvent, { kind: "edit" | "revoke" }>;

/** Messages remembered, the latest heard of. */
const MOST = 200;
/** Of one message: whoever shares a group may name it, and keeps out nobody else. */
const MOST_SENDERS = 8;
/** Of longer texts the memory would be full soon, UTF-16 units. */
const LONGEST = 16_384;

/**
 * Edits and revokes of messages that nobody knows yet: platforms promise no order, and a message that was asked to come
 * again is overtaken by what was said of it meanwhile. In memory alone.
 */
export class EarlyAmendments {
  /** By message, and there by who says so. */
  readonly #amendments = new Newest<Map<string, Amendment>>(MOST);

  note(source: number, event: Amendment): void {
    if (event.kind === "edit" && event.text.length > LONGEST) return;
    const key = keyOf(source, event.targetId);
    const { phone, userId, lid } = event.sender;
    const sender = `${phone} ${userId} ${lid}`;
    const noted = this.#amendments.get(key) ?? new Map<string, Amendment>();
    const before = noted.get(sender);
    // What was taken back stays so.
    if (before?.kind === "revoke") return;
    if (before && event.kind === "edit" && isOlder(event, before.at)) return;
    if (noted.size >= MOST_SENDERS && !noted.has(sender)) return;
    noted.set(sender, event);
    this.#amendments.set(key, noted);
  }

  /** What each sender said of it. It stays noted: what was done about it may be rolled back. */
  of(source: number, platformId: string): Amendment[] {
    const noted = this.#amendments.get(keyOf(source, platformId));
    return noted ? [...noted.values()] : [];
  }
}

/** Whether an edit was made before one that is known already. */
export function isOlder({ at }: { at?: number }, known: number | null | undefined): boolean {
  return at !== undefined && at < (known ?? 0);
}

/** Names a message among those of all accounts. */
export function keyOf(source: number, platformId: string): string {
  return `${source} ${platformId}`;
}
