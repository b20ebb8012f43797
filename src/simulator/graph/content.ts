/** Contents of messages as customers write them, in Meta's shapes (pages "Messages webhook reference"). */

export type MessageContent = { type: string } & Record<string, unknown>;

/** A file that lies in the simulator's media store. */
export interface ContentFile {
  id: string;
  mimeType: string;
  /** Hex. */
  sha256: string;
  url?: string;
}

function file({ id, mimeType, sha256, url }: ContentFile): Record<string, unknown> {
  const base64 = Buffer.from(sha256, "hex").toString("base64");
  return { id, mime_type: mimeType, sha256: base64, ...(url === undefined ? {} : { url }) };
}

const captioned = (caption: string | undefined) => (caption === undefined ? {} : { caption });

export const content = {
  text: (body: string): MessageContent => ({ type: "text", text: { body } }),
  image: (media: ContentFile, caption?: string): MessageContent => ({
    type: "image",
    image: { ...captioned(caption), ...file(media) },
  }),
  video: (media: ContentFile, caption?: string): MessageContent => ({
    type: "video",
    video: { ...captioned(caption), ...file(media) },
  }),
  document: (media: ContentFile, filename?: string, caption?: string): MessageContent => ({
    type: "document",
    document: { ...captioned(caption), ...(filename ? { filename } : {}), ...file(media) },
  }),
  audio: (media: ContentFile): MessageContent => ({
    type: "audio",
    audio: { ...file(media), voice: false },
  }),
  voice: (media: ContentFile): MessageContent => ({
    type: "audio",
    audio: { ...file(media), voice: true },
  }),
  sticker: (media: ContentFile, animated = false): MessageContent => ({
    type: "sticker",
    sticker: { ...file(media), animated },
  }),
  location: (
    latitude: number,
    longitude: number,
    name?: string,
    address?: string,
  ): MessageContent => ({
    type: "location",
    location: { latitude, longitude, ...(name ? { name } : {}), ...(address ? { address } : {}) },
  }),
  contacts: (...people: { name: string; phone: string }[]): MessageContent => ({
    type: "contacts",
    contacts: people.map(({ name, phone }) => ({
      name: { formatted_name: name, first_name: name },
      phones: [{ phone, wa_id: phone.replace(/\D/g, ""), type: "CELL" }],
    })),
  }),
  buttonReply: (id: string, title: string): MessageContent => ({
    type: "interactive",
    interactive: { type: "button_reply", button_reply: { id, title } },
  }),
  listReply: (id: string, title: string, description?: string): MessageContent => ({
    type: "interactive",
    interactive: {
      type: "list_reply",
      list_reply: { id, title, ...(description ? { description } : {}) },
    },
  }),
  flowReply: (response: Record<string, unknown>, body = "Sent"): MessageContent => ({
    type: "interactive",
    interactive: {
      type: "nfm_reply",
      nfm_reply: { name: "flow", body, response_json: JSON.stringify(response) },
    },
  }),
  /** A quick reply of a template. */
  button: (title: string, payload = title): MessageContent => ({
    type: "button",
    button: { payload, text: title },
  }),
  order: (catalogId: string, text: string, items: OrderItem[]): MessageContent => ({
    type: "order",
    order: { catalog_id: catalogId, text, product_items: items },
  }),
  /** No emoji: the reaction is withdrawn. */
  reaction: (messageId: string, emoji?: string): MessageContent => ({
    type: "reaction",
    reaction: { message_id: messageId, ...(emoji === undefined ? {} : { emoji }) },
  }),
  edit: (originalId: string, body: string): MessageContent => ({
    type: "edit",
    edit: { original_message_id: originalId, message: { type: "text", text: { body } } },
  }),
  revoke: (originalId: string): MessageContent => ({
    type: "revoke",
    revoke: { original_message_id: originalId },
  }),
  unsupported: (type?: string): MessageContent => ({
    type: "unsupported",
    ...(type === undefined ? {} : { unsupported: { type } }),
    errors: [
      {
        code: 131051,
        title: "Message type unknown",
        message: "Message type unknown",
        error_data: { details: "Message type is currently not supported." },
      },
    ],
  }),
  numberChanged: (newPhone: string): MessageContent => ({
    type: "system",
    system: {
      type: "user_changed_number",
      body: "User changed their phone number",
      wa_id: newPhone.replace(/\D/g, ""),
    },
  }),
  userIdChanged: (newUserId: string): MessageContent => ({
    type: "system",
    system: {
      type: "user_changed_user_id",
      body: "User changed their user id",
      user_id: newUserId,
    },
  }),
  requestWelcome: (): MessageContent => ({ type: "request_welcome" }),
};

export interface OrderItem {
  product_retailer_id: string;
  quantity: number;
  item_price: number;
  currency: string;
}
