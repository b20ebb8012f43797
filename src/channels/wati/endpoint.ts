import { canonicalPhone } from "../../config/numbers.ts";
import type { WatiConfig } from "../../config/schema.ts";
import type { Recipient } from "../message.ts";

/** Where one WATI account is reached, and as whom. */
export interface Endpoint {
  /** Without a slash at the end; below it `/api/ext/v3`. */
  baseUrl: string;
  /** The tenant that stood in `api_url`, which older addresses of files need; else null. */
  tenant: string | null;
  token: string;
  /**
   * Key of the account in the store: host, tenant, and `tenant_id`, as far as the configuration names them. Keys of one
   * account may thus differ: {@link mayBeOne}.
   */
  account: string;
  /** What `tenant_id` puts before a recipient; null without it. */
  prefix: string | null;
  /** The one number (E.164) that is spoken for, where `tenant_id` is a number; else null. */
  ownNumber: string | null;
}

/**
 * Reads the configuration. WATI shows its address with the tenant in the path (`https://live-mt-server.wati.io/384776`);
 * version 3 answers 404 to that. Throws where the token is missing. Source: docs.wati.io/v2.6/docs/getting-started.
 */
export function readEndpoint(config: WatiConfig): Endpoint {
  const token = config.api_token;
  if (!token) throw new Error("channels_config.wati.api_token is missing");
  const url = new URL(config.api_url);
  const path = url.pathname.replace(/\/+$/, "").replace(/\/api\/ext\/v3$/, "");
  const tenant = /\/(\d+)$/.exec(path)?.[1] ?? null;
  const prefix = config.tenant_id?.trim() || null;
  return {
    baseUrl: url.origin + (tenant === null ? path : path.slice(0, -tenant.length - 1)),
    tenant,
    token,
    account: [url.host, tenant, prefix].filter((part) => part !== null).join("/"),
    prefix,
    ownNumber: prefix === null ? null : phoneOf(prefix),
  };
}

/**
 * May these two keys be of one account, of which a configuration named more than another? All that the one names the
 * other names alike: a host is shared by many accounts.
 */
export function mayBeOne(account: string, other: string): boolean {
  const [one, two] = [namesOf(account), namesOf(other)];
  return one.host === two.host && (isPartOf(one, two) || isPartOf(two, one));
}

type Names = Record<"host" | "tenant" | "channel", string | null>;

function isPartOf(one: Names, two: Names): boolean {
  const within = (a: string | null, b: string | null) => a === null || a === b;
  return within(one.tenant, two.tenant) && within(one.channel, two.channel);
}

/** What stands behind the host may be the tenant, or a `tenant_id`, which is a channel's name or number. */
function namesOf(account: string): Names {
  const [host = "", ...parts] = account.split("/");
  const [next = ""] = parts;
  const isTenant = /^\d+$/.test(next) && phoneOf(next) === null;
  const channel = parts.slice(isTenant ? 1 : 0).join("/");
  return { host, tenant: isTenant ? next : null, channel: channel === "" ? null : channel };
}

/** Tenants of WATI that are seen have seven digits at most, and few phone numbers have less than ten. */
const fewestDigits = 9;

/** Of a number that has two forms (Brazil, Argentina, Mexico) the end is the same in both. */
const commonDigits = 8;

/** Are these two numbers (E.164) one, as far as can be told? In doubt they are: nothing is ignored for a form. */
export function mayBeSameNumber(one: string, other: string): boolean {
  return one.slice(-commonDigits) === other.slice(-commonDigits);
}

/** The phone number (E.164) that `name` is; null where it is a channel's name, or a tenant. */
export function phoneOf(name: string): string | null {
  const phone = canonicalPhone(name);
  return phone !== null && phone.length > fewestDigits ? phone : null;
}

/**
 * The `target` of a send: digits of the number, else the BSUID, with `tenant_id` in front where it is set. null for
 * whom WATI cannot reach. Source: docs.wati.io/reference/conversations_sendtext; v2.2 for the BSUID.
 */
export function targetOf(recipient: Recipient, prefix: string | null): string | null {
  if (recipient.kind !== "direct") return null;
  const person = recipient.phone?.replace(/\D/g, "") || recipient.userId;
  if (!person) return null;
  return prefix === null ? person : `${prefix}:${person}`;
}
