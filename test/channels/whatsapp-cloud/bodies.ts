import type { InboundEvent, Message } from "../../../src/channels/message.ts";
import { parseWebhook } from "../../../src/channels/whatsapp-cloud/payload.ts";

/** Webhook bodies as Meta writes them, for the tests of this folder. */

export const phoneNumberId = "106540352242922";
export const now = Date.UTC(2026, 10, 20);

type Json = Record<string, unknown>;

export function changeBody(field: string | undefined, value: Json): Json {
  return {
    object: "whatsapp_business_account",
    entry: [
      {
        id: "102290129340398",
        changes: [
          {
            ...(field === undefined ? {} : { field }),
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: phoneNumberId },
              ...value,
            },
          },
        ],
      },
    ],
  };
}

export const ada = {
  wa_id: "16505551234",
  user_id: "US.13491208655302741918",
  profile: { name: "Ada", username: "@ada" },
};

export function messageItem(item: Json): Json {
  return { from: "16505551234", id: "wamid.A", timestamp: "1749416383", ...item };
}

export function messagesBody(items: unknown[], value: Json = {}): Json {
  return changeBody("messages", { contacts: [ada], messages: items, ...value });
}

export function textItem(body: string, item: Json = {}): Json {
  return messageItem({ type: "text", text: { body }, ...item });
}

export const parse = (body: unknown) => parseWebhook(body, phoneNumberId, now);
export const sender = {
  phone: "+16505551234",
  userId: "US.13491208655302741918",
  lid: null,
  username: "ada",
  name: "Ada",
};

export function onlyMessage(body: unknown): Message {
  const events = parse(body);
  const [event] = events;
  if (events.length !== 1 || event?.kind !== "message") throw new Error(JSON.stringify(events));
  return event.message;
}

export function reasons(events: InboundEvent[]): string[] {
  return events.map((event) => (event.kind === "ignored" ? event.reason : event.kind));
}
