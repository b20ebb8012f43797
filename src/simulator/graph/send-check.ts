import { contentChecks } from "./content-check.ts";
import { graphError, parameterError, refuse } from "./errors.ts";
import { isObject, type Json } from "./json.ts";

export interface CheckedMessage {
  kind: "message";
  recipientKind: "phone" | "user_id" | "group";
  /** `to` or `recipient` as it came. */
  input: string;
  /** Digits of the number, the BSUID or the group id. */
  recipient: string;
  type: string;
  text: string | null;
  quote: string | null;
  callbackData: string | null;
  /** Id of the uploaded file that is sent, where one is. */
  mediaId: string | null;
}

export interface CheckedRead {
  kind: "read";
  messageId: string;
  typing: boolean;
}

const maxCallbackData = 512;
const maxWamid = 128;

/**
 * Checks the JSON of `POST /{phone-number-id}/messages` as Meta does (pages "Messages", "Typing indicators" and
 * "Business-scoped user ids"). Throws a `GraphRefusal`.
 */
export function checkSend(body: unknown): CheckedMessage | CheckedRead {
  if (!isObject(body)) refuse(graphError(100, "The body is not a JSON object"));
  if (body["messaging_product"] === undefined) {
    refuse(parameterError("The parameter messaging_product is required."));
  }
  if (body["messaging_product"] !== "whatsapp") {
    refuse(parameterError('Param messaging_product must be one of {"WHATSAPP"}.'));
  }
  return body["status"] === undefined ? checkMessage(body) : checkRead(body);
}

function checkRead(body: Json): CheckedRead {
  if (body["status"] !== "read") refuse(parameterError('Param status must be one of {"READ"}.'));
  const messageId = body["message_id"];
  if (typeof messageId !== "string" || messageId === "" || messageId.length > maxWamid) {
    refuse(parameterError("The parameter message_id is required."));
  }
  const typing = body["typing_indicator"];
  if (typing !== undefined && !(isObject(typing) && typing["type"] === "text")) {
    refuse(parameterError("Param typing_indicator['type'] must be one of {\"TEXT\"}."));
  }
  return { kind: "read", messageId, typing: typing !== undefined };
}

function checkMessage(body: Json): CheckedMessage {
  const target = checkRecipient(body);
  const type = body["type"] ?? "text";
  const check = typeof type === "string" ? contentChecks[type] : undefined;
  if (typeof type !== "string" || !check) {
    const types = Object.keys(contentChecks).join(", ").toUpperCase();
    refuse(parameterError(`Param type must be one of {${types}} - got "${String(type)}".`));
  }
  const content = body[type];
  if (!isObject(content) && !Array.isArray(content)) {
    refuse(parameterError(`The parameter ${type} is required.`));
  }
  const { text, mediaId } = check(content);
  if (target.recipientKind === "group" && !groupTypes.has(type)) {
    refuse(graphError(131051, `Messages of type ${type} cannot be sent to a group`));
  }
  return {
    kind: "message",
    ...target,
    type,
    text,
    mediaId,
    quote: checkQuote(body["context"]),
    callbackData: checkCallbackData(body["biz_opaque_callback_data"]),
  };
}

const groupTypes = new Set(["text", "image", "audio", "video", "document", "sticker", "template"]);

function checkRecipient(body: Json): Pick<CheckedMessage, "recipientKind" | "input" | "recipient"> {
  const recipientType = body["recipient_type"] ?? "individual";
  if (recipientType !== "individual" && recipientType !== "group") {
    refuse(parameterError('Param recipient_type must be one of {"INDIVIDUAL", "GROUP"}.'));
  }
  const { to, recipient } = body;
  if (recipientType === "group") {
    if (typeof to !== "string" || to === "")
      refuse(parameterError("The parameter to is required."));
    return { recipientKind: "group", input: to, recipient: to };
  }
  // Where both are given, `to` wins.
  if (to === undefined && recipient !== undefined) {
    if (
      typeof recipient !== "string" ||
      !/^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9_]{1,128}$/.test(recipient)
    ) {
      refuse(parameterError("Param recipient must be a business-scoped user id."));
    }
    return { recipientKind: "user_id", input: recipient, recipient };
  }
  if (typeof to !== "string" || to === "") refuse(parameterError("The parameter to is required."));
  const digits = to.replace(/[\s()+.-]/g, "");
  if (!/^\d{5,16}$/.test(digits))
    refuse(graphError(131009, "Parameter 'to' is not a phone number"));
  return { recipientKind: "phone", input: to, recipient: digits };
}

function checkQuote(context: unknown): string | null {
  if (context === undefined) return null;
  const id = isObject(context) ? context["message_id"] : undefined;
  if (typeof id !== "string" || id === "" || id.length > maxWamid) {
    refuse(graphError(131009, "Parameter 'context.message_id' is not a message id"));
  }
  return id;
}

function checkCallbackData(data: unknown): string | null {
  if (data === undefined) return null;
  if (typeof data !== "string" || data.length > maxCallbackData) {
    refuse(
      parameterError(
        `Param biz_opaque_callback_data must be at most ${maxCallbackData} characters long.`,
      ),
    );
  }
  return data;
}
