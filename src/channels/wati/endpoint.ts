import type { WatiConfig } from "../../config/schema.ts";
import type { Recipient } from "../message.ts";

/** Where one WATI account is reached, and as whom. */
export interface Endpoint {
  /** Without a slash at the end; below it `/api/ext/v3`. */
  baseUrl: string;
  /** The tenant that stood in `api_url`, which older addresses of files need; else null. */
  tenant: string | null;
  token: string;
  /** Key of the account in the store: host, and whatever of tenant the configuration names. */
  account: string;
  /** What `tenant_id` puts before a recipient; null without it. */
  prefix: string | null;
}

/**
 * Reads the configuration. WATI shows its address with the tenant in the path (`https://live-mt-server.wati.io/384776`)
 * and its token with `Bearer` in front; version 3 wants neither, and answers 404 to a tenant in the path. Throws where
 * the token is missing. Source: docs.wati.io/v2.6/docs/getting-started.
 */
export function readEndpoint(config: WatiConfig): Endpoint {
  const token = config.api_token?.trim().replace(/^Bearer(\s+|$)/i, "");
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
  };
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
