import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatProblem } from "../../src/config/problems.ts";
import { overlay } from "../../src/config/environment.ts";
import { cloud, complaints, echo, folder, load, removeFolder } from "./support.ts";

afterAll(removeFolder);

describe("the port of the environment", () => {
  test.each([
    ["1", 1],
    ["65535", 65535],
    ["08080", 8080],
  ])("%p is %d", (text, port) => {
    expect(load(echo, { env: { REVKA_GATEWAY_PORT: text } }).config.gateway.port).toBe(port);
  });

  test.each(["0", "65536", "-1", "1e3", "80.0", "0x50", "8 0", "000080"])("%p is none", (text) => {
    expect(complaints(echo, { env: { REVKA_GATEWAY_PORT: text } })).toEqual([
      "environment: REVKA_GATEWAY_PORT: expected an integer from 1 to 65535",
    ]);
  });
});

test("what lies over the file leaves the file's own values as they were", () => {
  const raw = { gateway: { host: "127.0.0.2" }, channels_config: { whatsapp: { a: 1 } } };
  const env = { REVKA_GATEWAY_HOST: "localhost", REVKA_WHATSAPP_APP_SECRET: "of-the-variable" };
  const { values, origins } = overlay(raw, env, {});
  expect(raw).toEqual({ gateway: { host: "127.0.0.2" }, channels_config: { whatsapp: { a: 1 } } });
  expect(values).toEqual({
    gateway: { host: "localhost" },
    channels_config: { whatsapp: { a: 1, app_secret: "of-the-variable" } },
  });
  expect([...origins]).toEqual([
    ["gateway.host", { file: "environment", key: "REVKA_GATEWAY_HOST" }],
    [
      "channels_config.whatsapp.app_secret",
      { file: "environment", key: "REVKA_WHATSAPP_APP_SECRET" },
    ],
  ]);
});

test("a secret of the environment switches no channel on", () => {
  const env = { REVKA_WHATSAPP_APP_SECRET: "of-the-variable" };
  expect(load(echo, { env }).config.channels_config.whatsapp).toBeUndefined();
  for (const channels_config of [5, {}, { wati: {} }]) {
    expect(overlay({ channels_config }, env, {}).values).toEqual({ channels_config });
  }
  expect(load(cloud, { env }).secrets).toContain("of-the-variable");
});

test("a credential whose name is none is a warning with the one that was meant", () => {
  const handed = join(folder, "credentials");
  mkdirSync(handed, { recursive: true });
  const known = ["revka-config", "revka-session-key"];
  const others = ["tls-key", "revkalike"];
  for (const name of [
    ...known,
    ...others,
    "revka_api-key",
    "evka_api_key",
    "revka-foo",
    "Revka_zzz",
  ]) {
    writeFileSync(join(handed, name), "s3cret");
  }
  const { warnings } = load(echo, { env: { CREDENTIALS_DIRECTORY: handed } });
  expect(warnings.map(formatProblem)).toEqual([
    "credential: Revka_zzz: unknown, ignored",
    "credential: evka_api_key: unknown, ignored; did you mean revka-api-key?",
    "credential: revka-foo: unknown, ignored",
    "credential: revka_api-key: unknown, ignored; did you mean revka-api-key?",
  ]);
  const nowhere = { CREDENTIALS_DIRECTORY: join(folder, "nowhere") };
  expect(load(echo, { env: nowhere }).warnings).toEqual([]);
});

test("where a table should be and is none, the file is what is complained of", () => {
  const env = { REVKA_GATEWAY_HOST: "localhost" };
  const { values, origins } = overlay({ gateway: 5 }, env, {});
  expect([values, origins.size]).toEqual([{ gateway: 5 }, 0]);
  expect(complaints(`gateway = 5\n${echo}`, { env })).toEqual([
    "config.toml:1: gateway: expected a table, found an integer",
  ]);
});

test("a secret that holds another comes before it", () => {
  const { secrets } = load(echo, {
    env: { A_TOKEN: "abcd", B_TOKEN: "abcdefgh" },
  });
  expect(secrets).toEqual(["abcdefgh", "abcd"]);
});

test("a password that does not decode is taken as it stands", () => {
  const env = { HTTP_PROXY: "http://user:pw%zz@h" };
  expect(load(echo, { env }).secrets).toContain("pw%zz");
});

test("a variable of three characters is no secret, nor is a name without a password", () => {
  const env = { A_TOKEN: "abc", HTTP_PROXY: "http://user@h" };
  expect(load(echo, { env }).secrets).toEqual([]);
});
