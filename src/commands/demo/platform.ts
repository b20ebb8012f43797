/** The stand-in for one platform, as the demo sees it: a customer writes, the business answers. */
export interface DemoPlatform {
  /** Whom it stands in for, such as "Meta's Graph API". */
  readonly title: string;
  readonly url: string;
  /** Path of the webhook under the gateway. */
  readonly webhookPath: string;
  /** `[channels_config]` of a daemon that talks to it. */
  readonly channelsConfig: Record<string, unknown>;
  /** Points the webhook at the gateway. Answers with a few words on how that went; throws where it did not. */
  connect(gatewayUrl: string): Promise<string>;
  /** The customer writes. Answers with the message's id. */
  write(text: string): string;
  /** The same message comes once more, as platforms do that deliver at least once. Resolves when it was taken. */
  writeAgain(id: string, text: string): Promise<void>;
  /** How many webhooks with messages of the customer were taken so far. */
  webhooks(): number;
  /** Resolves when `count` webhooks in all were taken; rejects when time is up. */
  waitForWebhooks(count: number, timeoutMs: number): Promise<void>;
  /** Texts that the customer got so far. */
  received(): string[];
  /** Resolves when the customer has got `count` texts in all; rejects when time is up. */
  waitForReceived(count: number, timeoutMs: number): Promise<void>;
  /** What else the customer saw for a message, such as "read, typing"; null where nothing. */
  seen(id: string): string | null;
  stop(): Promise<void>;
}
