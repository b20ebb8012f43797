import { expect, test } from "bun:test";
import * as v from "valibot";
import { mayBeOne, readEndpoint, targetOf } from "../../../src/channels/wati/endpoint.ts";
import { watiSchema } from "../../../src/config/schema.ts";

const read = (config: object) =>
  readEndpoint(v.parse(watiSchema, { api_token: "token", ...config }));

test("addresses as WATI shows them", () => {
  const cases: [string, string, string | null, string][] = [
    [
      "https://live-mt-server.wati.io",
      "https://live-mt-server.wati.io",
      null,
      "live-mt-server.wati.io",
    ],
    [
      "https://live-mt-server.wati.io/",
      "https://live-mt-server.wati.io",
      null,
      "live-mt-server.wati.io",
    ],
    [
      "https://live-mt-server.wati.io/384776/",
      "https://live-mt-server.wati.io",
      "384776",
      "live-mt-server.wati.io/384776",
    ],
    [
      "https://live-mt-server.wati.io/api/ext/v3",
      "https://live-mt-server.wati.io",
      null,
      "live-mt-server.wati.io",
    ],
    ["https://gate.test/wati", "https://gate.test/wati", null, "gate.test"],
    ["http://127.0.0.1:8080/wati/12", "http://127.0.0.1:8080/wati", "12", "127.0.0.1:8080/12"],
  ];
  for (const [api_url, baseUrl, tenant, account] of cases) {
    expect(read({ api_url })).toMatchObject({ baseUrl, tenant, account } as object);
  }
});

test("the account holds the tenant", () => {
  expect(read({ tenant_id: "17435002445" }).account).toBe("live-mt-server.wati.io/17435002445");
});

test("keys may be of one account unless they name two hosts, two tenants or two channels", () => {
  const host = "https://live-mt-server.wati.io";
  const key = (api_url: string, tenant_id?: string) =>
    read({ api_url, ...(tenant_id === undefined ? {} : { tenant_id }) }).account;
  const bare = key(host);
  const one = key(`${host}/384776`);
  const cases: [name: string, account: string, other: string, same: boolean][] = [
    ["a tenant_id that is set", bare, key(host, "17435002445"), true],
    ["another tenant_id", key(host, "17435002445"), key(host, "12025550123"), false],
    ["a channel's name for its number", key(host, "17435002445"), key(host, "my/shop"), false],
    ["a channel's name that is set", bare, key(host, "my/shop"), true],
    [
      "another number of a tenant",
      key(`${host}/384776`, "17435002445"),
      key(`${host}/384776`, "12025550123"),
      false,
    ],
    ["a tenant in the address", bare, one, true],
    ["a tenant in the address, a number in tenant_id", key(host, "17435002445"), one, false],
    ["both", bare, key(`${host}/384776`, "17435002445"), true],
    [
      "a number that the tenant is named to",
      key(host, "17435002445"),
      key(`${host}/384776`, "17435002445"),
      true,
    ],
    ["a name that the tenant is named to", key(host, "shop"), key(`${host}/384776`, "shop"), true],
    ["the tenant in either place", one, key(host, "384776"), true],
    ["another tenant", one, key(`${host}/384777`), false],
    ["another tenant, with a number", one, key(`${host}/384777`, "17435002445"), false],
    ["another tenant in tenant_id", one, key(host, "384777"), false],
    ["another host", bare, key("https://live-server-1.wati.io"), false],
    ["another port", key("http://127.0.0.1:1"), key("http://127.0.0.1:2"), false],
    ["another host of the same tenant", one, key("https://eu.wati.io/384776"), false],
  ];
  for (const [name, account, other, same] of cases) {
    expect([name, mayBeOne(account, other), mayBeOne(other, account)]).toEqual([name, same, same]);
  }
});

test("without a token there is none", () => {
  expect(() => readEndpoint(v.parse(watiSchema, {}))).toThrow("api_token");
});

test("targets", () => {
  const direct = (phone: string | null, userId: string | null = null, lid: string | null = null) =>
    ({ kind: "direct", phone, userId, lid }) as const;
  expect(targetOf(direct("+15550001111"), null)).toBe("15550001111");
  expect(targetOf(direct("+15550001111", "US.1"), "tenant")).toBe("tenant:15550001111");
  expect(targetOf(direct(null, "US.1"), null)).toBe("US.1");
  expect(targetOf(direct(null, "US.1"), "tenant")).toBe("tenant:US.1");
  expect(targetOf(direct(null, null, "1@lid"), null)).toBeNull();
  expect(targetOf(direct(null, null, "1@lid"), "tenant")).toBeNull();
  expect(targetOf({ kind: "group", id: "g" }, null)).toBeNull();
  expect(targetOf({ kind: "self" }, null)).toBeNull();
});
