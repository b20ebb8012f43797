import * as v from "valibot";
import { fields, jsonObject } from "../../net/json-object.ts";
import type { CustomerMessage } from "./bodies.ts";
import type { FaultRule } from "./faults.ts";
import type { RateLimits } from "./limits.ts";
import type { GraphAccount, StatusSettings } from "./options.ts";
import type { WebhookSettings } from "./webhook-settings.ts";

/** A schema for a type written elsewhere: absent keys stay absent. */
const shape = <T>(schema: v.GenericSchema) =>
  v.pipe(
    schema,
    v.transform((value): T => JSON.parse(JSON.stringify(value))),
  );
/** Refuses keys that it does not know. */
const strictly = <const T extends v.ObjectEntries>(entries: T) =>
  v.pipe(v.unknown(), fields, v.strictObject(entries));
const strictlyInPart = <const T extends v.ObjectEntries>(entries: T) =>
  v.pipe(v.unknown(), fields, v.partial(v.strictObject(entries)));

const number = v.pipe(v.number(), v.finite("expected a number"));
const whole = v.pipe(v.number(), v.safeInteger("expected a whole number"));
const chance = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const text = v.string();

const message = shape<CustomerMessage>(
  v.object({
    from: jsonObject({
      phone: v.nullish(text),
      userId: v.nullish(text),
      username: v.optional(text),
      name: v.optional(text),
    }),
    content: v.looseObject({ type: text }),
    id: v.optional(text),
    timestamp: v.optional(number),
    groupId: v.optional(text),
    quote: v.optional(v.object({ id: text, from: v.optional(text) })),
    forwarded: v.optional(v.boolean()),
    phoneNumberId: v.optional(text),
  }),
);

export const messagesSchema = v.union([
  v.object({ batch: v.pipe(v.array(message), v.minLength(1)) }),
  v.pipe(
    v.array(message),
    v.transform((each) => ({ each })),
  ),
  v.pipe(
    message,
    v.transform((one) => ({ each: [one] })),
  ),
]);

const effect = v.variant("kind", [
  v.object({
    kind: v.literal("error"),
    code: whole,
    status: v.optional(whole),
    details: v.optional(text),
    retryAfterSecs: v.optional(number),
  }),
  v.object({ kind: v.literal("http"), status: whole }),
  v.object({ kind: v.literal("delay"), ms: number }),
  v.object({ kind: v.literal("hang") }),
  v.object({ kind: v.literal("drop") }),
  v.object({ kind: v.literal("lose-answer") }),
  v.object({ kind: v.literal("fail-later"), code: whole }),
]);

export const faultSchema = shape<FaultRule>(
  strictly({
    effect,
    on: v.optional(
      v.picklist([
        "send",
        "read",
        "upload",
        "media_info",
        "media_bytes",
        "phone_number",
        "other",
        "any",
      ]),
    ),
    recipient: v.optional(text),
    skip: v.optional(whole),
    times: v.optional(whole),
    probability: v.optional(chance),
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
  strictly({
    webhooks: v.optional(
      strictlyInPart({
        url: v.nullable(text),
        appSecret: v.nullable(text),
        concurrency: v.pipe(whole, v.minValue(1)),
        timeoutMs: number,
        retry: v.object({
          initialMs: number,
          factor: number,
          maxMs: number,
          giveUpAfterMs: number,
        }),
      }),
    ),
    statuses: v.optional(
      strictlyInPart({
        states: v.array(v.picklist(["sent", "delivered", "read", "played"])),
        delayMs: number,
      }),
    ),
    limits: v.optional(
      strictly({
        perSecond: v.optional(number),
        pair: v.optional(v.object({ everyMs: number, burst: number })),
      }),
    ),
    enforceWindow: v.optional(v.boolean()),
    account: v.optional(
      strictlyInPart({
        accessToken: text,
        appSecret: text,
        verifyToken: text,
        appId: text,
        businessAccountId: text,
        phoneNumberId: v.nullable(text),
        displayPhoneNumber: text,
        verifiedName: text,
        tokenExpiresAt: number,
        scopes: v.array(text),
        subscribed: v.boolean(),
      }),
    ),
  }),
);
