import { randomBytes } from "node:crypto";

/** What a customer does, for the simulator. */
export interface WatiCustomerMessage {
  /** Digits; null for one who is known by a BSUID alone. */
  from: string | null;
  name?: string;
  bsuid?: string;
  username?: string;
  /** WATI's type name; `text` when absent. */
  type?: string;
  text?: string | null;
  /** `data` of the event: an address, a path, or null. */
  data?: unknown;
  /** wamid of the message replied to. */
  replyTo?: string;
  forwarded?: boolean;
  /** Title of a tapped button or list row. */
  tapped?: { kind: "list" | "interactive" | "button"; title: string };
  /** Unix seconds. */
  timestamp?: number;
  id?: string;
  wamid?: string;
}

/** How one message is reported: the names of the events. */
export type WatiVariant = "message" | "message_v2" | "message_bsuid" | "messageReceived";

export function newWatiId(): string {
  return randomBytes(12).toString("hex");
}

export function newWamid(): string {
  return `wamid.${randomBytes(24).toString("base64")}`;
}

/** The event as WATI posts it. Source: docs.wati.io/reference/webhooks, /message-received-bsuid. */
export function messageEvent(
  message: WatiCustomerMessage & { id: string; wamid: string },
  variant: WatiVariant,
  channelPhoneNumber: string,
  now: number,
): Record<string, unknown> {
  const { tapped } = message;
  const seconds = message.timestamp ?? Math.floor(now / 1000);
  return {
    id: message.id,
    created: new Date(seconds * 1000).toISOString(),
    whatsappMessageId: message.wamid,
    conversationId: "68c8d56157578adb12ada249",
    ticketId: "69280a6d6244a6d9b9b486e9",
    text: message.text ?? tapped?.title ?? null,
    type: message.type ?? (tapped ? (tapped.kind === "button" ? "button" : "interactive") : "text"),
    data: message.data ?? null,
    sourceId: null,
    sourceUrl: null,
    timestamp: String(seconds),
    owner: false,
    eventType: variant,
    statusString: "SENT",
    avatarUrl: null,
    assignedId: null,
    operatorName: null,
    operatorEmail: null,
    waId: message.from,
    messageContact: null,
    senderName: message.name ?? "Customer",
    listReply: tapped?.kind === "list" ? { id: "1", title: tapped.title, description: null } : null,
    interactiveButtonReply:
      tapped?.kind === "interactive" ? { id: "1", title: tapped.title } : null,
    buttonReply: tapped?.kind === "button" ? { text: tapped.title, payload: "{}" } : null,
    replyContextId: message.replyTo ?? "",
    sourceType: 7,
    frequentlyForwarded: false,
    forwarded: message.forwarded ?? false,
    channelId: null,
    channelPhoneNumber,
    ...(variant === "message_bsuid"
      ? { bsuid: message.bsuid ?? null, parentBsuid: null, username: message.username ?? null }
      : {}),
  };
}

/** A message sent through its API, as WATI lists it. Source: version 3, `GET conversations/{target}/messages`. */
export function sentItem(sent: {
  id: string;
  wamid: string;
  kind: "text" | "file";
  text: string | null;
  file: { name: string; mimeType: string } | null;
  at: number;
}): Record<string, unknown> {
  const [family] = (sent.file?.mimeType ?? "text/plain").split("/");
  const media = /^(image|video|audio)$/.test(family ?? "") ? family : "document";
  const type = sent.kind === "text" ? "text" : media;
  return {
    id: sent.id,
    whatsapp_message_id: sent.wamid,
    conversation_id: "68c8d56157578adb12ada249",
    ticket_id: "69280a6d6244a6d9b9b486e9",
    event_type: "message",
    type,
    text: type === "document" ? (sent.file?.name ?? null) : sent.text,
    owner: true,
    status: "SENT",
    timestamp: new Date(sent.at).toISOString(),
  };
}

/** What WATI reports of a message sent through its API. */
export function sentEvent(
  name: "sessionMessageSent_v2" | "sentMessageDELIVERED_v2",
  sent: { id: string; wamid: string; text: string | null },
  now: number,
): Record<string, unknown> {
  return {
    eventType: name,
    statusString: name === "sessionMessageSent_v2" ? "SENT" : "Delivered",
    id: sent.id,
    whatsappMessageId: sent.wamid,
    conversationId: "68c8d56157578adb12ada249",
    ticketId: "69280a6d6244a6d9b9b486e9",
    text: sent.text,
    type: "text",
    data: null,
    timestamp: String(Math.floor(now / 1000)),
    ...(name === "sessionMessageSent_v2" ? { owner: true } : {}),
  };
}
