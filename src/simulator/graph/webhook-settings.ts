/** How webhooks go out. Every field can be set while the simulator runs. */
export interface WebhookSettings {
  /** Callback URL on loopback; null: nothing is sent, and what would have been is given up at once. */
  url: string | null;
  /** Key of the signature; null leaves the header out. */
  appSecret: string | null;
  /** Posts at once. */
  concurrency: number;
  /** Milliseconds until an attempt counts as failed. */
  timeoutMs: number;
  /** Waits after failed attempts: `initialMs`, then times `factor`, at most `maxMs`; given up after `giveUpAfterMs`. */
  retry: { initialMs: number; factor: number; maxMs: number; giveUpAfterMs: number };
}

export const defaultWebhookSettings: WebhookSettings = {
  url: null,
  appSecret: null,
  concurrency: 64,
  timeoutMs: 20_000,
  retry: { initialMs: 100, factor: 2, maxMs: 5000, giveUpAfterMs: 10 * 60 * 1000 },
};
