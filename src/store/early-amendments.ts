import type { InboundEvent } from "../channels/message.ts";

export type Amendment = Extract<InboundEvent, { kind: "edit" | "revoke" }>;

/** Messages remembered, the latest heard of. */
const MOST = 200;
/** Of longer texts the memory would be full soon, UTF-16 units. */
const LONGEST = 16_384;

/**
 * Edits and revokes of messages that nobody knows yet: platforms promise no order, and a message that was asked to come
 * again is overtaken by what was said of it meanwhile. In memory alone.
 */
export class EarlyAmendments {
  readonly #amendments = new Map<string, Amendment>();

  note(source: number, event: Amendment): void {
    if (event.kind === "edit" && event.text.length > LONGEST) return;
    const key = keyOf(source, event.targetId);
    // What was taken back stays so.
    if (this.#amendments.get(key)?.kind === "revoke") return;
    this.#amendments.delete(key);
    this.#amendments.set(key, event);
    if (this.#amendments.size <= MOST) return;
    for (const oldest of this.#amendments.keys()) {
      this.#amendments.delete(oldest);
      break;
    }
  }

  /** It stays noted: what was done about it may be rolled back. */
  of(source: number, platformId: string): Amendment | undefined {
    return this.#amendments.size === 0
      ? undefined
      : this.#amendments.get(keyOf(source, platformId));
  }
}

function keyOf(source: number, platformId: string): string {
  return `${source} ${platformId}`;
}
