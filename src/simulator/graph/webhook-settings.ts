/** How webhooks go out. Every field can be set while the simulator runs. */
export interface WebhookSettings {
  /** Callback URL on loopback; null: nothing is sent, and what would have been is given up at once. */
  url: string | null;
  /** Key of the signature; null leaves the header out. */
  appSecret: string | null;
  /** `meta` escapes non-ASCII and slashes as Meta does. */
  escaping: "none" | "meta";
  /**
   * Webhooks of one customer: `strict` one waits until the one before is accepted, `first-attempt` until it was
   * tried once, `none` all at once. Meta promises no order.
   */
  order: "strict" | "first-attempt" | "none";
  /** Posts at once. */
  concurrency: number;
  /** Milliseconds until an attempt counts as failed. */
  timeoutMs: number;
  /** Waits after failed attempts: `initialMs`, then times `factor`, at most `maxMs`; given up after `giveUpAfterMs`. */
  retry: { initialMs: number; factor: number; maxMs: number; giveUpAfterMs: number };
  /** Chance that a webhook is posted twice at the same time. */
  duplicateProbability: number;
  /** Each webhook waits for a random time between these before it queues, which also reorders them. */
  delayMs: { min: number; max: number };
}

export const defaultWebhookSettings: WebhookSettings = {
  url: null,
  appSecret: null,
  escaping: "none",
  order: "first-attempt",
  concurrency: 64,
  timeoutMs: 20_000,
  retry: { initialMs: 100, factor: 2, maxMs: 5000, giveUpAfterMs: 10 * 60 * 1000 },
  duplicateProbability: 0,
  delayMs: { min: 0, max: 0 },
};
