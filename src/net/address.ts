import { builtin } from "../runtime/builtin.ts";
import { once } from "../runtime/once.ts";
import type { BlockList } from "node:net";
import { bareHost } from "./no-proxy.ts";

const isIP = (host: string) => builtin.net().isIP(host);

/** Loopback as the house means it: `localhost`, `127.0.0.0/8`, `::1`. Takes a host with or without brackets. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bareHost(hostname);
  if (host === "localhost" || host === "127.0.0.1") return true;
  if (isIP(host) === 4) return host.startsWith("127.");
  return isIP(host) === 6 && loopback6().check(host, "ipv6");
}

/**
 * Is this IP address one that nobody outside may send us to? Private, loopback, link-local (cloud metadata among
 * them), carrier-grade NAT, documentation, benchmarking, multicast, reserved and unspecified networks, and every IPv6
 * form that hides such an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo as a whole). From the special-purpose
 * registries of IANA. What is no IP address counts as private.
 */
export function isPrivateAddress(address: string): boolean {
  const bare = bareHost(address).replace(/%.*$/, "");
  const family = isIP(bare);
  if (family === 4) return private4().check(bare, "ipv4");
  if (family !== 6) return true;
  if (private6().check(bare, "ipv6")) return true;
  const hidden = hiddenIPv4(bare);
  return hidden !== null && private4().check(hidden, "ipv4");
}

/** All addresses of a name; an IP address is its own. Rejects as the system's resolver does. */
export async function resolveAddresses(hostname: string): Promise<string[]> {
  const host = bareHost(hostname);
  if (isIP(host)) return [host];
  return (await builtin.dns().lookup(host, { all: true })).map((it) => it.address);
}

function blockList(family: "ipv4" | "ipv6", networks: string[]): BlockList {
  const list = new (builtin.net().BlockList)();
  for (const network of networks) {
    const [address = "", bits = ""] = network.split("/");
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const loopback6 = once(() => blockList("ipv6", ["::1/128"]));

const private4 = once(() =>
  blockList("ipv4", [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
  ]),
);

const private6 = once(() =>
  blockList("ipv6", [
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
  ]),
);

/** The IPv4 address within `::ffff:0:0/96`, `::/96`, `64:ff9b::/96` or `2002::/16`, else null. */
function hiddenIPv4(address: string): string | null {
  const words = expand(address);
  if (!words) return null;
  const [a = 0, b = 0, c = 0] = words;
  const zeros = (from: number, to: number) => words.slice(from, to).every((word) => word === 0);
  if (a === 0x2002) return dotted(b, c);
  const tail = dotted(words[6] ?? 0, words[7] ?? 0);
  if (zeros(0, 5) && (words[5] === 0xffff || words[5] === 0)) return tail;
  if (zeros(0, 4) && words[4] === 0xffff && words[5] === 0) return tail;
  return a === 0x64 && b === 0xff9b && zeros(2, 6) ? tail : null;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight words of an IPv6 address that `isIP` accepted. */
function expand(address: string): number[] | null {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail] = text.split("::");
  const words = (part: string) =>
    part === "" ? [] : part.split(":").map((it) => Number.parseInt(it, 16));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const gap = 8 - front.length - back.length;
  const all = [...front, ...Array.from({ length: Math.max(0, gap) }, () => 0), ...back];
  return all.length === 8 ? all : null;
}
