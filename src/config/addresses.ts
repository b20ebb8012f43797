/** `localhost`, also with a root dot, 127.0.0.0/8 and ::1, with or without brackets. Nothing is resolved. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$|\.$/, "$1");
  return bare === "localhost" || bare === "::1" || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * What is wrong with an address that secrets travel to, or null: the scheme must be `secure`; its `plain` twin passes
 * to a loopback host only. `because` is the key whose value makes it so, where any address would do without. The answer
 * never repeats the address.
 */
export function secureAddressProblem(
  address: string,
  secure: "https" | "wss",
  because?: string,
): string | null {
  const plain = secure === "https" ? "http" : "ws";
  const url = URL.parse(address);
  if (url === null || url.host === "") return `expected an address that begins with ${secure}://`;
  if (url.protocol === `${secure}:`) return null;
  if (url.protocol !== `${plain}:`) return `expected an address that begins with ${secure}://`;
  if (isLoopbackHost(url.hostname)) return null;
  if (because !== undefined) {
    return `expected ${secure}://, because ${because} is set, and ${plain}:// is then allowed to a loopback address only`;
  }
  return `expected ${secure}://, because ${plain}:// is allowed to a loopback address only`;
}

const proxySchemes = ["http:", "https:", "socks5:", "socks5h:", "socks:"];

/** What is wrong with the address of a proxy, or null. Never repeats it: it may hold a password. */
export function proxyAddressProblem(address: string): string | null {
  const url = URL.parse(address);
  if (url !== null && proxySchemes.includes(url.protocol) && url.hostname !== "") return null;
  return "expected the address of a proxy that begins with http://, https://, socks5:// or socks5h://";
}

export const noWebAddress = "expected an http or https address";

/** Is it an http or https address at all? */
export function isWebAddress(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") && url.host !== "";
}
