import * as v from "valibot";
import { once } from "../../../runtime/once.ts";
import { canonicalPhone } from "../../../config/numbers.ts";
import { jsonObject, optional } from "../../../net/json-object.ts";
import type { InboundEvent } from "../../message.ts";
import { readUserId } from "./sender.ts";
import { optionalId, optionalText, statusShape, type RawMessage } from "./shapes.ts";

type IdentityEvent = Extract<InboundEvent, { kind: "identity" }>;

const systemShape = once(() =>
  jsonObject({
    type: optionalText,
    body: optionalText,
    wa_id: optionalId,
    new_wa_id: optionalId,
    user_id: optionalId,
  }),
);

/**
 * What a `system` message says of who is who: `user_changed_number` gives the old number in `from` and the new one in
 * `wa_id`; `user_changed_user_id` gives the new BSUID in `user_id`, the old one only in the body. null for any other.
 * Sources: Meta, webhooks/reference/messages/system; business-scoped-user-ids, "System messages webhooks".
 */
export function readSystem(message: RawMessage): IdentityEvent | null {
  const parsed = v.safeParse(systemShape(), message.part("system"));
  if (!parsed.success) return null;
  const { type, body, wa_id, new_wa_id, user_id } = parsed.output;
  if (type !== "user_changed_number" && type !== "user_changed_user_id") return null;
  const userId = readUserId(user_id);
  const bodyId = type === "user_changed_user_id" ? previousInBody(body ?? "", userId) : null;
  return identity({
    phone: canonicalPhone(new_wa_id ?? wa_id ?? ""),
    userId,
    previousPhone: canonicalPhone(message.from ?? ""),
    previousUserId: readUserId(message.from_user_id) ?? bodyId,
  });
}

/**
 * The end of `User <name> changed from <old> to <new>`. The name is the sender's own choice and could imitate the
 * rest, so only the very end counts, and only where its new id is the one Meta gives outside the text.
 */
function previousInBody(body: string, current: string | null): string | null {
  const words = body.trim().split(/\s+/).slice(-5);
  const [changed, from, previous, to, next] = words;
  const fits = changed === "changed" && from === "from" && to === "to" && next === current;
  return fits ? readUserId(previous) : null;
}

const updateShape = once(() =>
  jsonObject({
    wa_id: optionalId,
    user_id: optional(jsonObject({ previous: optionalId, current: optionalId })),
  }),
);

/** One item of the webhook field `user_id_update`. */
export function readUserIdUpdate(raw: unknown): IdentityEvent | null {
  const parsed = v.safeParse(updateShape(), raw);
  if (!parsed.success) return null;
  return identity({
    phone: canonicalPhone(parsed.output.wa_id ?? ""),
    userId: readUserId(parsed.output.user_id?.current),
    previousPhone: null,
    previousUserId: readUserId(parsed.output.user_id?.previous),
  });
}

/** A status of a message to one person names both number and BSUID; null where it does not, or names a group. */
export function linkedBy(rawStatus: unknown): IdentityEvent | null {
  const parsed = v.safeParse(statusShape(), rawStatus);
  if (!parsed.success || parsed.output.recipient_type === "group") return null;
  return identity({
    phone: canonicalPhone(parsed.output.recipient_id ?? ""),
    userId: readUserId(parsed.output.recipient_user_id),
    previousPhone: null,
    previousUserId: null,
  });
}

/** null where it ties nothing to anything. */
function identity(known: {
  phone: string | null;
  userId: string | null;
  previousPhone: string | null;
  previousUserId: string | null;
}): IdentityEvent | null {
  const { phone, userId } = known;
  const previousPhone = known.previousPhone === phone ? null : known.previousPhone;
  const previousUserId = known.previousUserId === userId ? null : known.previousUserId;
  const names = [phone, userId, previousPhone, previousUserId].filter((it) => it !== null);
  if (names.length < 2 || (phone === null && userId === null)) return null;
  return {
    kind: "identity",
    sender: { phone, userId, lid: null, username: null, name: null },
    previousUserId,
    previousPhone,
  };
}
