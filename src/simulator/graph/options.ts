import type { Clock } from "../../runtime/clock.ts";
import type { RateLimits } from "./limits.ts";
import type { WebhookSettings } from "./webhook-settings.ts";

/** What the simulated business account is. */
export interface GraphAccount {
  accessToken: string;
  appSecret: string;
  verifyToken: string;
  appId: string;
  businessAccountId: string;
  /** null answers for every phone number id. */
  phoneNumberId: string | null;
  displayPhoneNumber: string;
  verifiedName: string;
  /** Unix seconds; 0 never. Past: every call meets 190. */
  tokenExpiresAt: number;
  scopes: string[];
  /** The app is subscribed to the business account's webhooks. */
  subscribed: boolean;
}

/** Which status webhooks follow an accepted message. */
export interface StatusSettings {
  /** In this order; [] sends none. */
  states: ("sent" | "delivered" | "read" | "played")[];
  /** Milliseconds from the answer to the first, and between them. */
  delayMs: number;
}

export interface GraphSettings {
  webhooks: WebhookSettings;
  statuses: StatusSettings;
  limits: RateLimits;
  /** A message to a customer who did not write within 24 hours is accepted and then fails with 131047. */
  enforceWindow: boolean;
}

export interface GraphOptions {
  /** 0 picks a free one. */
  port?: number;
  account?: Partial<GraphAccount>;
  webhooks?: Partial<WebhookSettings>;
  statuses?: Partial<StatusSettings>;
  limits?: RateLimits;
  enforceWindow?: boolean;
  /** Of the faults' chances. */
  seed?: number;
  clock?: Clock;
}

export const defaultAccount: GraphAccount = {
  accessToken: "EAAsimulated",
  appSecret: "simulated-app-secret",
  verifyToken: "simulated-verify-token",
  appId: "1800000000000001",
  businessAccountId: "1020000000000001",
  phoneNumberId: "1060000000000001",
  displayPhoneNumber: "15550783881",
  verifiedName: "Simulated Business",
  tokenExpiresAt: 0,
  scopes: ["whatsapp_business_management", "whatsapp_business_messaging"],
  subscribed: true,
};
