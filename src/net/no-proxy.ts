import { builtin } from "../runtime/builtin.ts";

const isIP = (host: string) => builtin.net().isIP(host);

/**
 * Does a NO_PROXY list name this address? Entries are taken as curl and reqwest take them: `*` everything; a name
 * matches itself and everything below it, with or without a leading dot or `*.`; an address matches itself, an address
 * with `/bits` its network; any of them may carry `:port` and then means that port alone. An entry may itself be a
 * comma-separated list. Nothing is resolved: a network never matches a name.
 */
export function matchesNoProxy(list: readonly string[], url: URL): boolean {
  const host = bareHost(url.hostname);
  const port = url.port || defaultPort(url.protocol);
  return list
    .flatMap((entry) => entry.split(","))
    .some((entry) => matchesEntry(entry.trim().toLowerCase(), host, port));
}

/** A host name in lower case without the brackets of IPv6 or a root dot. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

/** The port a scheme means when the address names none; `""` for schemes unknown here. */
export function defaultPort(protocol: string): string {
  if (protocol === "https:" || protocol === "wss:") return "443";
  return protocol === "http:" || protocol === "ws:" ? "80" : "";
}

function matchesEntry(entry: string, host: string, port: string): boolean {
  const { name, onlyPort } = splitPort(entry);
  if (onlyPort !== null && onlyPort !== port) return false;
  if (name === "*") return true;
  if (name.includes("/")) return inNetwork(name, host);
  if (isIP(name)) return inNetwork(`${name}/${isIP(name) === 4 ? 32 : 128}`, host);
  const domain = name.replace(/^\*?\./, "").replace(/\.$/, "");
  return domain !== "" && !isIP(host) && (host === domain || host.endsWith(`.${domain}`));
}

/** Splits a `:port` off; the colons of a bare IPv6 address are none. */
function splitPort(entry: string): { name: string; onlyPort: string | null } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1] ?? "", onlyPort: bracketed[2] ?? null };
  const ported = /^([^:]+):(\d+)$/.exec(entry);
  if (ported) return { name: ported[1] ?? "", onlyPort: ported[2] ?? null };
  return { name: entry, onlyPort: null };
}

function inNetwork(network: string, host: string): boolean {
  const [address = "", bits = ""] = network.split("/");
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const networks = new (builtin.net().BlockList)();
  networks.addSubnet(address, Number(bits), kind);
  return networks.check(host, kind);
}
