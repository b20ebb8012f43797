import type { Channel } from "../channels/channel.ts";
import type { Chat, Recipient } from "../channels/message.ts";
import { parseTarget } from "../config/numbers.ts";
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

/** What {@link recipientOf} takes for this chat. */
export function nameOf({ kind, id }: Chat): string {
  if (kind === "direct") return id;
  return kind === "self" ? "self" : id.includes("@") ? id : `group:${id}`;
}

/** An E.164 number, BSUID, LID, or the id or JID of a group. */
export function recipientOf(target: string): Recipient {
  const named = parseTarget(target);
  if (!named) {
    throw new ControlError(
      400,
      `${target.trim()} is neither a number in international form (+15550001111), a BSUID, a …@lid, a …@g.us nor group:ID`,
    );
  }
  const { kind, id } = named;
  if (kind === "self") return { kind };
  if (kind === "group") return { kind, id };
  return {
    kind: "direct",
    phone: kind === "phone" ? id : null,
    userId: kind === "user" ? id : null,
    lid: kind === "lid" ? id : null,
  };
}
