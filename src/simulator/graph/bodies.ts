import { createHash } from "node:crypto";
import type { MessageContent } from "./content.ts";
import { errorTitle } from "./errors.ts";
import { newWamid } from "./wamid.ts";

/** Who writes. A number gets a user id of its own unless `userId` is null; no number: known by the user id alone. */
export interface Customer {
  /** Digits, a plus is dropped. */
  phone?: string | null;
  userId?: string | null;
  username?: string;
  name?: string;
}

/** One message of a customer. */
export interface CustomerMessage {
  from: Customer;
  content: MessageContent;
  /** A new wamid when absent. */
  id?: string;
  /** Unix seconds; now when absent. */
  timestamp?: number;
  groupId?: string;
  /** The message it replies to, and who wrote that (the business when absent). */
  quote?: { id: string; from?: string };
  forwarded?: boolean;
  /** The business number it goes to, where not the simulator's own. */
  phoneNumberId?: string;
}

/** The business' side of an envelope. */
export interface Business {
  businessAccountId: string;
  phoneNumberId: string;
  displayPhoneNumber: string;
}

export type JsonObject = Record<string, unknown>;

/** A stable BSUID (`CC.` and letters or digits) for a number, so that one customer keeps one. */
function userIdOf(phone: string): string {
  const digest = createHash("sha256").update(phone).digest();
  return `US.${digest.readBigUInt64BE(0).toString().padStart(20, "0")}`;
}

/** Number in digits and BSUID of a customer, as far as Meta would tell. */
export function identityOf(customer: Customer): { waId: string | null; userId: string | null } {
  const waId = customer.phone?.replace(/\D/g, "") || null;
  const derived = waId === null ? null : userIdOf(waId);
  return { waId, userId: customer.userId === undefined ? derived : customer.userId };
}

/** Builds one message and its entry of `contacts`. */
export function inboundMessage(
  message: CustomerMessage,
  business: Business,
  now: number,
): { id: string; message: JsonObject; contact: JsonObject } {
  const { waId, userId } = identityOf(message.from);
  const id = message.id ?? newWamid(waId ?? userId ?? "", "in");
  const context: JsonObject = {
    ...(message.forwarded ? { forwarded: true } : {}),
    ...(message.quote
      ? { from: message.quote.from ?? business.displayPhoneNumber, id: message.quote.id }
      : {}),
  };
  return {
    id,
    message: {
      ...(waId === null ? {} : { from: waId }),
      ...(userId === null ? {} : { from_user_id: userId }),
      id,
      timestamp: String(message.timestamp ?? Math.floor(now / 1000)),
      ...(message.groupId === undefined ? {} : { group_id: message.groupId }),
      ...(Object.keys(context).length === 0 ? {} : { context }),
      ...message.content,
    },
    contact: contactOf(message.from, waId, userId),
  };
}

function contactOf(customer: Customer, waId: string | null, userId: string | null): JsonObject {
  return {
    profile: {
      name: customer.name ?? "Ada",
      ...(customer.username === undefined ? {} : { username: customer.username }),
    },
    ...(waId === null ? {} : { wa_id: waId }),
    ...(userId === null ? {} : { user_id: userId }),
  };
}

/** Wraps the value of one change in Meta's envelope. */
export function envelope(business: Business, value: JsonObject, field = "messages"): JsonObject {
  const metadata = {
    display_phone_number: business.displayPhoneNumber,
    phone_number_id: business.phoneNumberId,
  };
  return {
    object: "whatsapp_business_account",
    entry: [
      {
        id: business.businessAccountId,
        changes: [{ value: { messaging_product: "whatsapp", metadata, ...value }, field }],
      },
    ],
  };
}

export interface StatusOf {
  wamid: string;
  state: "sent" | "delivered" | "read" | "played" | "failed";
  recipient: string;
  recipientKind: "phone" | "user_id" | "group";
  callbackData: string | null;
  /** For `failed`. */
  code?: number;
}

/** One entry of `statuses` (page "Status messages webhook reference", v24 form: no `conversation`). */
export function statusEntry(status: StatusOf, now: number): JsonObject {
  const recipient: JsonObject = {
    phone: {
      recipient_id: status.recipient,
      recipient_user_id: userIdOf(status.recipient),
    },
    user_id: { recipient_user_id: status.recipient },
    group: { recipient_id: status.recipient, recipient_type: "group" },
  }[status.recipientKind];
  const failed = status.state === "failed";
  const code = status.code ?? 131026;
  return {
    id: status.wamid,
    status: status.state,
    timestamp: String(Math.floor(now / 1000)),
    ...recipient,
    ...(status.callbackData === null ? {} : { biz_opaque_callback_data: status.callbackData }),
    ...(failed
      ? {
          errors: [
            {
              code,
              title: errorTitle(code),
              message: errorTitle(code),
              error_data: { details: errorTitle(code) },
              href: "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            },
          ],
        }
      : {
          pricing: {
            billable: false,
            pricing_model: "PMP",
            type: "free_customer_service",
            category: "service",
          },
        }),
  };
}

/** A body as bytes, escaped as Meta's serialiser does it, so that only the bytes themselves match the HMAC. */
export function serialise(body: unknown): Buffer {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const escaped = JSON.stringify(body)
    .replace(/[<%@]/g, (unit) => escape(unit).replace(/[0-9a-f]{4}$/, (hex) => hex.toUpperCase()))
    .replace(/[\u0080-\uffff]/g, escape)
    .replaceAll("/", "\\/");
  return Buffer.from(escaped, "ascii");
}
