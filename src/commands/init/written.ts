import { resolve } from "node:path";
import { parseAllowedEntry } from "../../config/numbers.ts";

/** What the config gets in place of what a person gave. Pure, but for the working directory. */

/**
 * The number with its plus where it begins with 00, as it is dialled in most countries (ITU-T E.164 lets no number begin
 * with 0); everything else as it is.
 */
export function withPlus(number: string): string {
  if (!/^\s*00/.test(number)) return number;
  const entry = parseAllowedEntry(number.trim().slice(2));
  return entry.kind === "phone" ? entry.phone : number;
}

/**
 * The public address without the webhook's own route, which a dashboard's callback URL ends in and which is added again;
 * null where it does not end in it. A query goes with the route.
 */
export function withoutRoute(address: string, route: string): string | null {
  const url = URL.parse(address);
  const path = url?.pathname.replace(/\/+$/, "");
  return url && path?.endsWith(route) ? url.origin + path.slice(0, -route.length) : null;
}

/** Absolute, since a service runs in another folder; what begins with `~` is so already. */
export function fromAnywhere(path: string): string {
  return path === "" || /^~(\/|$)/.test(path) ? path : resolve(path);
}
