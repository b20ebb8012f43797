import { isLoopbackHost } from "../../config/addresses.ts";

/** The domains on which Meta keeps files. */
const metaDomains = ["fbcdn.net", "facebook.com", "fbsbx.com", "whatsapp.net"];

/**
 * May a file be fetched from this address? Only https on a host of Meta's and the usual port; or, where the Graph API
 * itself is on loopback (tests, the demo), only its own port there, by whatever name. So no webhook body and no redirect
 * sends us elsewhere.
 */
export function isMediaAddress(url: URL, apiBaseUrl: string): boolean {
  const { hostname, protocol, port } = new URL(apiBaseUrl);
  if (isLoopbackHost(hostname)) {
    return isLoopbackHost(url.hostname) && url.protocol === protocol && url.port === port;
  }
  if (url.protocol !== "https:" || url.port !== "") return false;
  return metaDomains.some(
    (domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`),
  );
}
