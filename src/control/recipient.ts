import { canonicalLid, canonicalPhone, isBusinessScopedId } from "../access/identity.ts";
import type { Channel } from "../channels/channel.ts";
import type { Recipient } from "../channels/message.ts";
import { ControlError } from "./api.ts";

/** Whom this name means on a channel: a group of Web is its JID, the own number the own chat. */
export function recipientOn(channel: Channel, name: string): Recipient {
  const recipient = recipientOf(name);
  const web = channel.backend === "web";
  if (recipient.kind === "group" && web && !recipient.id.includes("@")) {
    return { kind: "group", id: `${recipient.id}@g.us` };
  }
  const own = recipient.kind === "direct" && recipient.phone === channel.status().linkedAs;
  return web && own && recipient.phone !== null ? { kind: "self" } : recipient;
}

/** An E.164 number, BSUID, LID, or the id or JID of a group. */
export function recipientOf(target: string): Recipient {
  const name = target.trim();
  const lid = canonicalLid(name);
  if (lid) return { kind: "direct", phone: null, userId: null, lid };
  if (/^group:.+/.test(name)) return { kind: "group", id: name.slice("group:".length) };
  if (name.endsWith("@g.us")) return { kind: "group", id: name };
  if (name === "self") return { kind: "self" };
  if (isBusinessScopedId(name)) return { kind: "direct", phone: null, userId: name, lid: null };
  const phone = canonicalPhone(name.replace(/@s\.whatsapp\.net$/, ""));
  if (phone) return { kind: "direct", phone, userId: null, lid: null };
  throw new ControlError(
    400,
    `${name} is neither a number in international form (+15550001111), a BSUID, a …@lid, a …@g.us nor group:ID`,
  );
}
