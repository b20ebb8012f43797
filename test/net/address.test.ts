import { expect, test } from "bun:test";
import { isLoopbackHost, isPrivateAddress, resolveAddresses } from "../../src/net/address.ts";

test("addresses that nobody outside may send us to", () => {
  const inside = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "[::1]",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:0:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "0:0:0:0:0:ffff:a00:1",
    "2002:7f00:1::",
    "2001:0:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "not an address",
    "",
  ];
  for (const address of inside)
    expect([address, isPrivateAddress(address)]).toEqual([address, true]);
  const outside = [
    "1.1.1.1",
    "100.128.0.1",
    "172.32.0.1",
    "157.240.1.60",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "64:ff9c::a00:1",
    "2600:ff9b::a00:1",
    "2002:808:808::a00:1",
    "2606:4700:0:0:0:0:0:1111",
    "2a03:2880:f10c::1",
    "2606:4700::1111",
  ];
  for (const address of outside)
    expect([address, isPrivateAddress(address)]).toEqual([address, false]);
});

test("loopback", () => {
  for (const host of [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "[::1]",
  ]) {
    expect([host, isLoopbackHost(host)]).toEqual([host, true]);
  }
  for (const host of [
    "",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "10.0.0.1",
    "0.0.0.0",
    "[::2]",
  ]) {
    expect([host, isLoopbackHost(host)]).toEqual([host, false]);
  }
});

test("an address is its own answer", async () => {
  expect(await resolveAddresses("[::1]")).toEqual(["::1"]);
  expect(await resolveAddresses("192.0.2.1")).toEqual(["192.0.2.1"]);
});

test("a name is asked of the system's resolver", async () => {
  const found = await resolveAddresses("localhost");
  expect(found.length).toBeGreaterThan(0);
  for (const address of found) expect(["127.0.0.1", "::1"]).toContain(address);
});
