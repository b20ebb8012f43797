import * as v from "valibot";
import { once } from "../../../runtime/once.ts";
import { jsonObject, number, optional } from "../../../net/json-object.ts";
import { optionalText } from "./shapes.ts";

/** What has no text of its own as one line that an agent can read. null where there is nothing to read. */

/** A line holds no more items than this: the rest is only counted. */
const maxItems = 50;

const amount = once(() => optional(v.union([v.string(), number])));

const locationShape = once(() =>
  jsonObject({
    latitude: v.union([number, v.string()]),
    longitude: v.union([number, v.string()]),
    name: optionalText,
    address: optionalText,
    url: optionalText,
  }),
);

/** `[Location] Name, address (latitude, longitude) address on the web`. */
export function renderLocation(raw: unknown): string | null {
  const parsed = v.safeParse(locationShape(), raw);
  if (!parsed.success) return null;
  const { latitude, longitude, name, address, url } = parsed.output;
  const place = [name, address].filter(Boolean).join(", ");
  return oneLine(["[Location]", place, `(${latitude}, ${longitude})`, url]);
}

const contactShape = once(() =>
  jsonObject({
    name: optional(jsonObject({ formatted_name: optionalText, first_name: optionalText })),
    phones: optional(v.array(jsonObject({ phone: optionalText, wa_id: optionalText }))),
    emails: optional(v.array(jsonObject({ email: optionalText }))),
  }),
);

/** `[Contacts] Name (number, address); …`. */
export function renderContacts(raw: unknown): string | null {
  if (!Array.isArray(raw)) return null;
  const people = raw.slice(0, maxItems).flatMap((item) => {
    const parsed = v.safeParse(contactShape(), item);
    if (!parsed.success) return [];
    const { name, phones, emails } = parsed.output;
    const shown = name?.formatted_name ?? name?.first_name ?? "Unnamed";
    const reached = [
      ...(phones ?? []).map((it) => it.phone ?? it.wa_id),
      ...(emails ?? []).map((it) => it.email),
    ].filter(Boolean);
    return [reached.length > 0 ? `${shown} (${reached.join(", ")})` : shown];
  });
  return people.length === 0 ? null : oneLine(["[Contacts]", people.join("; "), more(raw.length)]);
}

const orderShape = once(() =>
  jsonObject({
    text: optionalText,
    product_items: optional(v.array(v.unknown())),
  }),
);

const itemShape = once(() =>
  jsonObject({
    product_retailer_id: optionalText,
    quantity: amount(),
    item_price: amount(),
    currency: optionalText,
  }),
);

/** What the customer wrote to it, then `[Order] 2 × SKU at 30 EUR, …`. */
export function renderOrder(raw: unknown): string | null {
  const parsed = v.safeParse(orderShape(), raw);
  if (!parsed.success) return null;
  const items = parsed.output.product_items ?? [];
  const lines = items.slice(0, maxItems).flatMap((item) => {
    const product = v.safeParse(itemShape(), item);
    if (!product.success) return [];
    const { product_retailer_id: name, quantity, item_price: price, currency } = product.output;
    const each = price === undefined ? "" : ` at ${price} ${currency ?? ""}`.trimEnd();
    return [`${quantity ?? 1} × ${name ?? "unnamed product"}${each}`];
  });
  return oneLine([parsed.output.text, "[Order]", lines.join(", "), more(items.length)]);
}

const replyShape = once(() => jsonObject({ title: optionalText, id: optionalText }));

const interactiveShape = once(() =>
  jsonObject({
    type: optionalText,
    button_reply: optional(replyShape()),
    list_reply: optional(replyShape()),
    nfm_reply: optional(
      jsonObject({ body: optionalText, name: optionalText, response_json: optionalText }),
    ),
    call_permission_reply: optional(jsonObject({ response: optionalText })),
  }),
);

/** The tapped title, or the body of a flow's answer; anything else as the kind of answer it is. */
export function renderInteractive(raw: unknown): string {
  const parsed = v.safeParse(interactiveShape(), raw);
  if (!parsed.success) return "[Interactive answer without content]";
  const { type, button_reply: button, list_reply: list, nfm_reply: form } = parsed.output;
  const tapped = button ?? list;
  if (tapped) return tapped.title ?? tapped.id ?? "[Interactive answer without title]";
  if (form?.body) return form.body;
  if (form) return oneLine(["[Form]", form.name, form.response_json?.slice(0, 4000)]);
  const permission = parsed.output.call_permission_reply?.response;
  if (permission) return oneLine(["[Call permission]", permission]);
  return oneLine(["[Interactive answer]", type?.slice(0, 40)]);
}

function more(count: number): string | undefined {
  return count > maxItems ? `and ${count - maxItems} more` : undefined;
}

function oneLine(parts: (string | undefined)[]): string {
  return parts.join(" ").replace(/\s+/g, " ").trim();
}
