import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../src/config/problems.ts";
import { loadConfig } from "../../src/config/load.ts";
import { readCredential } from "../../src/runtime/credentials.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function handOver(content?: string) {
  const folder = mkdtempSync(join(tmpdir(), "revka-credentials-"));
  folders.push(folder);
  if (content !== undefined) writeFileSync(join(folder, "revka-session-key"), content);
  return { CREDENTIALS_DIRECTORY: folder };
}

test.each([
  ["as it stands", "a b=c", "a b=c"],
  ["without its final line break", "abc\n", "abc"],
  ["without a Windows line break", "abc\r\n", "abc"],
  ["with inner line breaks", "a\n\nb\n", "a\n\nb"],
])("is read %s", (_, content, expected) => {
  expect(readCredential("revka-session-key", handOver(content))).toBe(expected);
});

test("is null where none was handed over", () => {
  expect(readCredential("revka-session-key", {})).toBeNull();
  expect(readCredential("revka-session-key", { CREDENTIALS_DIRECTORY: "" })).toBeNull();
  expect(readCredential("revka-session-key", handOver())).toBeNull();
});

test.each([
  ["empty", "\n", "is empty"],
  ["far too long", "x".repeat(70_000), "is over"],
])("%s is an error that says so and quotes nothing", (_, content, message) => {
  expect(() => readCredential("revka-session-key", handOver(content))).toThrow(message);
});

test("one that cannot be looked at is an error, and not none", () => {
  const { CREDENTIALS_DIRECTORY } = handOver("abc");
  const env = { CREDENTIALS_DIRECTORY: join(CREDENTIALS_DIRECTORY, "revka-session-key") };
  expect(() => readCredential("revka-session-key", env)).toThrow("cannot be read");
});

describe("as part of the configuration", () => {
  const cloud =
    '[agent]\nkind = "echo"\n[channels_config.whatsapp]\nphone_number_id = "123456"\nverify_token = "vvvv"\napp_secret = "of-the-file"\n';
  const load = (text: string, files: Record<string, string>, env: Record<string, string> = {}) => {
    const folder = mkdtempSync(join(tmpdir(), "revka-credentials-"));
    folders.push(folder);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const path = join(folder, "config.toml");
    writeFileSync(path, text);
    return loadConfig({ path, env: { CREDENTIALS_DIRECTORY: folder, ...env }, home: folder });
  };
  const token = { "revka-whatsapp-access-token": "of-the-credential\n" };

  test("stand for missing keys, win over the file, and are secrets", () => {
    const { config, secrets } = load(cloud, { ...token, "revka-whatsapp-app-secret": "handed" });
    expect(config.channels_config.whatsapp).toMatchObject({
      access_token: "of-the-credential",
      app_secret: "handed",
    });
    expect(secrets).toContain("of-the-credential");
    expect(secrets).toContain("handed");
  });

  test("give way to an environment variable", () => {
    const files = { ...token, "revka-whatsapp-app-secret": "handed" };
    const { config } = load(cloud, files, { REVKA_WHATSAPP_APP_SECRET: "of-the-variable" });
    expect(config.channels_config.whatsapp?.app_secret).toBe("of-the-variable");
  });

  test("switch nothing on", () => {
    const { config } = load('[agent]\nkind = "echo"\n', {
      ...token,
      "revka-wati-api-token": "abcd",
    });
    expect(config.channels_config.whatsapp).toBeUndefined();
    expect(config.channels_config.wati).toBeUndefined();
  });

  test("that are empty stop it, by name", () => {
    expect(() => load(cloud, { "revka-whatsapp-access-token": "" })).toThrow(ConfigError);
    expect(() => load(cloud, { "revka-whatsapp-access-token": "" })).toThrow("is empty");
  });
});
