import { expect, test } from "bun:test";
import {
  isLoopbackHost,
  proxyAddressProblem,
  secureAddressProblem,
} from "../../src/config/addresses.ts";

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["localhost.", true],
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
  ["::", false],
  ["[::2]", false],
  ["localhost.example", false],
  ["127.0.0.1.example", false],
  ["128.0.0.1", false],
  ["1127.0.0.1", false],
  ["", false],
])("%p is loopback: %p", (host, loopback) => expect(isLoopbackHost(host)).toBe(loopback));

test.each<[address: string, scheme: "https" | "wss", fine: boolean]>([
  ["https://a.example", "https", true],
  ["wss://a.example/ws", "wss", true],
  ["http://localhost:1", "https", true],
  ["ws://[::1]:1", "wss", true],
  ["http://a.example", "https", false],
  ["http://localhost@a.example", "https", false],
  ["wss://a.example", "https", false],
  ["https://a.example", "wss", false],
  ["ftp://127.0.0.1", "https", false],
  ["a.example", "https", false],
  ["", "https", false],
])("%p as %s: %p", (address, scheme, fine) => {
  expect(secureAddressProblem(address, scheme) === null).toBe(fine);
});

test.each([
  ["http://p:1", true],
  ["https://p:1", true],
  ["socks5://u:p@p:1", true],
  ["socks5h://127.0.0.1:9050", true],
  ["socks://p:1", true],
  ["socks4://p:1", false],
  ["p:1", false],
  ["http://", false],
])("proxy %p: %p", (address, fine) => expect(proxyAddressProblem(address) === null).toBe(fine));
