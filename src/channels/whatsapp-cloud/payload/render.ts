import { z } from "zod";
import { optional, optionalText } from "./shapes.ts";

/** What has no text of its own as one line that an agent can read. null where there is nothing to read. */

/** A line holds no more items than this: the rest is only counted. */
const maxItems = 50;

const amount = optional(z.union([z.string(), z.number()]));

const locationShape = z.object({
  latitude: z.union([z.number(), z.string()]),
  longitude: z.union([z.number(), z.string()]),
  name: optionalText,
  address: optionalText,
  url: optionalText,
});

/** `[Location] Name, address (latitude, longitude) address on the web`. */
export function renderLocation(raw: unknown): string | null {
  const parsed = locationShape.safeParse(raw);
  if (!parsed.success) return null;
  const { latitude, longitude, name, address, url } = parsed.data;
  const place = [name, address].filter(Boolean).join(", ");
  return oneLine(["[Location]", place, `(${latitude}, ${longitude})`, url]);
}

const contactShape = z.object({
  name: optional(z.object({ formatted_name: optionalText, first_name: optionalText })),
  phones: optional(z.array(z.object({ phone: optionalText, wa_id: optionalText }))),
  emails: optional(z.array(z.object({ email: optionalText }))),
});

/** `[Contacts] Name (number, address); …`. */
export function renderContacts(raw: unknown): string | null {
  if (!Array.isArray(raw)) return null;
  const people = raw.slice(0, maxItems).flatMap((item) => {
    const parsed = contactShape.safeParse(item);
    if (!parsed.success) return [];
    const { name, phones, emails } = parsed.data;
    const shown = name?.formatted_name ?? name?.first_name ?? "Unnamed";
    const reached = [
      ...(phones ?? []).map((it) => it.phone ?? it.wa_id),
      ...(emails ?? []).map((it) => it.email),
    ].filter(Boolean);
    return [reached.length > 0 ? `${shown} (${reached.join(", ")})` : shown];
  });
  return people.length === 0 ? null : oneLine(["[Contacts]", people.join("; "), more(raw.length)]);
}

const orderShape = z.object({
  text: optionalText,
  product_items: optional(z.array(z.unknown())),
});

const itemShape = z.object({
  product_retailer_id: optionalText,
  quantity: amount,
  item_price: amount,
  currency: optionalText,
});

/** What the customer wrote to it, then `[Order] 2 × SKU at 30 EUR, …`. */
export function renderOrder(raw: unknown): string | null {
  const parsed = orderShape.safeParse(raw);
  if (!parsed.success) return null;
  const items = parsed.data.product_items ?? [];
  const lines = items.slice(0, maxItems).flatMap((item) => {
    const product = itemShape.safeParse(item);
    if (!product.success) return [];
    const { product_retailer_id: name, quantity, item_price: price, currency } = product.data;
    const each = price === undefined ? "" : ` at ${price} ${currency ?? ""}`.trimEnd();
    return [`${quantity ?? 1} × ${name ?? "unnamed product"}${each}`];
  });
  return oneLine([parsed.data.text, "[Order]", lines.join(", "), more(items.length)]);
}

const replyShape = z.object({ title: optionalText, id: optionalText });

const interactiveShape = z.object({
  type: optionalText,
  button_reply: optional(replyShape),
  list_reply: optional(replyShape),
  nfm_reply: optional(
    z.object({ body: optionalText, name: optionalText, response_json: optionalText }),
  ),
  call_permission_reply: optional(z.object({ response: optionalText })),
});

/** The tapped title, or the body of a flow's answer; anything else as the kind of answer it is. */
export function renderInteractive(raw: unknown): string {
  const parsed = interactiveShape.safeParse(raw);
  if (!parsed.success) return "[Interactive answer without content]";
  const { type, button_reply: button, list_reply: list, nfm_reply: form } = parsed.data;
  const tapped = button ?? list;
  if (tapped) return tapped.title ?? tapped.id ?? "[Interactive answer without title]";
  if (form?.body) return form.body;
  if (form) return oneLine(["[Form]", form.name, form.response_json?.slice(0, 4000)]);
  const permission = parsed.data.call_permission_reply?.response;
  if (permission) return oneLine(["[Call permission]", permission]);
  return oneLine(["[Interactive answer]", type?.slice(0, 40)]);
}

function more(count: number): string | undefined {
  return count > maxItems ? `and ${count - maxItems} more` : undefined;
}

function oneLine(parts: (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== "")
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
}
