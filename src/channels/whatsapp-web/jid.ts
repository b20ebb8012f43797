import { WAJIDDomains, jidDecode, jidEncode } from "@whiskeysockets/baileys";

export type JidKind = "phone" | "lid" | "group" | "status" | "broadcast" | "newsletter" | "other";

/** What a JID addresses. Hosted accounts (`@hosted`, `@hosted.lid`) count as what they stand for. */
export function kindOf(jid: string): JidKind {
  const at = jid.indexOf("@");
  const server = at < 0 ? undefined : jid.slice(at + 1);
  if (server === "s.whatsapp.net" || server === "c.us" || server === "hosted") return "phone";
  if (server === "lid" || server === "hosted.lid") return "lid";
  if (server === "g.us") return "group";
  if (jid === "status@broadcast") return "status";
  if (server === "broadcast") return "broadcast";
  if (server === "newsletter") return "newsletter";
  return "other";
}

/** The user part, without agent and device: `4917…` of `4917…:12@s.whatsapp.net`. */
export function userOf(jid: string | null | undefined): string | null {
  return (jid && jidDecode(jid)?.user) || null;
}

/** E.164 of a phone's JID; null for anything else. */
export function phoneOf(jid: string | null | undefined): string | null {
  if (!jid || kindOf(jid) !== "phone") return null;
  const user = userOf(jid);
  return user && /^\d{5,20}$/.test(user) ? `+${user}` : null;
}

/** `…@lid` without device; null for anything else. */
export function lidOf(jid: string | null | undefined): string | null {
  if (!jid || kindOf(jid) !== "lid") return null;
  const user = userOf(jid);
  return user ? jidEncode(user, "lid") : null;
}

export function phoneJid(phone: string): string {
  return jidEncode(phone.replace(/\D/g, ""), "s.whatsapp.net");
}

/** The JID without device, as chats are named. */
export function withoutDevice(jid: string): string {
  return phoneOf(jid) ? phoneJid(jid.split(/[:@_]/)[0] ?? "") : (lidOf(jid) ?? jid);
}

/** How libsignal names a device (`lib/Signal/libsignal.js`, jidToSignalProtocolAddress); null for no user's JID. */
export function addressOf(jid: string): string | null {
  const decoded = jidDecode(jid);
  if (!decoded?.user) return null;
  const { user, device = 0, domainType } = decoded;
  const name = domainType === WAJIDDomains.WHATSAPP ? user : `${user}_${domainType}`;
  return `${name}.${device}`;
}
