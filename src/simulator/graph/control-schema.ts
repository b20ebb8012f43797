import { z } from "zod";
import type { CustomerMessage } from "./bodies.ts";
import type { FaultRule } from "./faults.ts";
import type { RateLimits } from "./limits.ts";
import type { GraphAccount, StatusSettings } from "./options.ts";
import type { WebhookSettings } from "./webhook-settings.ts";

/** A schema for a type written elsewhere: absent keys stay absent. */
const shape = <T>(schema: z.ZodType<unknown>) =>
  schema.transform((value): T => JSON.parse(JSON.stringify(value)));

const message = shape<CustomerMessage>(
  z.object({
    from: z.object({
      phone: z.string().nullish(),
      userId: z.string().nullish(),
      username: z.string().optional(),
      name: z.string().optional(),
    }),
    content: z.looseObject({ type: z.string() }),
    id: z.string().optional(),
    timestamp: z.number().optional(),
    groupId: z.string().optional(),
    quote: z.object({ id: z.string(), from: z.string().optional() }).optional(),
    forwarded: z.boolean().optional(),
    phoneNumberId: z.string().optional(),
  }),
);

export const messagesSchema = z.union([
  z.object({ batch: z.array(message).min(1) }),
  z.array(message).transform((each) => ({ each })),
  message.transform((one) => ({ each: [one] })),
]);

const effect = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("error"),
    code: z.int(),
    status: z.int().optional(),
    details: z.string().optional(),
    retryAfterSecs: z.number().optional(),
  }),
  z.object({ kind: z.literal("http"), status: z.int() }),
  z.object({ kind: z.literal("delay"), ms: z.number() }),
  z.object({ kind: z.literal("hang") }),
  z.object({ kind: z.literal("drop") }),
  z.object({ kind: z.literal("lose-answer") }),
  z.object({ kind: z.literal("fail-later"), code: z.int() }),
]);

export const faultSchema = shape<FaultRule>(
  z.strictObject({
    effect,
    on: z
      .enum(["send", "read", "upload", "media_info", "media_bytes", "phone_number", "other", "any"])
      .optional(),
    recipient: z.string().optional(),
    skip: z.int().optional(),
    times: z.int().optional(),
    probability: z.number().min(0).max(1).optional(),
  }),
);

export interface SettingsChange {
  webhooks?: Partial<WebhookSettings>;
  statuses?: Partial<StatusSettings>;
  limits?: RateLimits;
  enforceWindow?: boolean;
  account?: Partial<GraphAccount>;
}

export const settingsSchema = shape<SettingsChange>(
  z.strictObject({
    webhooks: z
      .strictObject({
        url: z.string().nullable(),
        appSecret: z.string().nullable(),
        escaping: z.enum(["none", "meta"]),
        order: z.enum(["strict", "first-attempt", "none"]),
        concurrency: z.int().min(1),
        timeoutMs: z.number(),
        retry: z.object({
          initialMs: z.number(),
          factor: z.number(),
          maxMs: z.number(),
          giveUpAfterMs: z.number(),
        }),
        duplicateProbability: z.number().min(0).max(1),
        delayMs: z.object({ min: z.number(), max: z.number() }),
      })
      .partial()
      .optional(),
    statuses: z
      .strictObject({
        states: z.array(z.enum(["sent", "delivered", "read", "played"])),
        delayMs: z.number(),
      })
      .partial()
      .optional(),
    limits: z
      .strictObject({
        perSecond: z.number().optional(),
        pair: z.object({ everyMs: z.number(), burst: z.number() }).optional(),
      })
      .optional(),
    enforceWindow: z.boolean().optional(),
    account: z
      .strictObject({
        accessToken: z.string(),
        appSecret: z.string(),
        verifyToken: z.string(),
        appId: z.string(),
        businessAccountId: z.string(),
        phoneNumberId: z.string().nullable(),
        displayPhoneNumber: z.string(),
        verifiedName: z.string(),
        tokenExpiresAt: z.number(),
        scopes: z.array(z.string()),
        subscribed: z.boolean(),
      })
      .partial()
      .optional(),
  }),
);
