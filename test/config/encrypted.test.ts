import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../src/config/read.ts";
import { ConfigError, formatProblem } from "../../src/config/problems.ts";
import { echo, folder, removeFolder } from "./support.ts";

/** The original's file, encrypted by another program than the one under test. */
const key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const token =
  "enc2:0102030405060708090a0b0c21c905282426cbd82d87688470f5299a8eca4fcde7f26960a95bba079b";
const verify = "enc2:0102030405060708090a0b0c12ed36036f2b89de2d2f9db70b554b6c653bfc688cded677b9";
const appSecret =
  "enc:6171722e776065756d7d27676363696a623c667b757b3b63707c377079643370662c313129677f736d7a";
const channel = `${echo}[channels_config.whatsapp]\nphone_number_id = "1"\n`;
const allEncrypted = `${channel}access_token = "${token}"\nverify_token = "${verify}"\napp_secret = "${appSecret}"\n`;
const withToken = (text: string) =>
  `${channel}verify_token = "vvvv"\naccess_token = "${text}"\n[secrets]\nencrypt = true\n`;
const keyPath = join(folder, ".secret_key");

const file = join(folder, "config.toml");

function read(toml: string, env: Record<string, string> = {}) {
  writeFileSync(file, toml);
  return readConfig({ path: file, env, home: "/home/ada" });
}

async function complaints(toml: string): Promise<string[]> {
  const error: unknown = await read(toml).catch((error: unknown) => error);
  if (!(error instanceof ConfigError)) throw error;
  return error.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ""));
}

const opened = {
  access_token: "EAAB-token-ä",
  verify_token: "verify-me",
  app_secret: "app-secret-longer-than-the-key-of-32-bytes",
};

beforeEach(() => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(keyPath, `${key}\n`);
});
afterAll(removeFolder);

test("secrets that the original encrypted are opened, and kept out of the log", async () => {
  const { config, secrets } = await read(allEncrypted);
  expect(config.channels_config.whatsapp).toMatchObject(opened);
  expect(secrets).toEqual(expect.arrayContaining(Object.values(opened)));
});

test("what is no secret, and what comes from the environment, is left as it is", async () => {
  const { config } = await read(`${allEncrypted}notification_target = "enc:00"\n`, {
    REVKA_WHATSAPP_APP_SECRET: "enc:00",
  });
  expect(config.channels_config.whatsapp).toMatchObject({
    app_secret: "enc:00",
    notification_target: "enc:00",
  });
});

const where = "config.toml:6: channels_config.whatsapp.access_token: is encrypted, and";

test.each([
  ["enc2:", "not whole: write it in plain"],
  ["enc2:0", "not whole: write it in plain"],
  ["enc:xy", "not whole: write it in plain"],
  [`${appSecret}xy`, "not whole: write it in plain"],
  [appSecret.replace(":", ":xy"), "not whole: write it in plain"],
  ["enc2:00", "the key in .secret_key does not decrypt it: write it in plain"],
  [`${token}00`, "the key in .secret_key does not decrypt it: write it in plain"],
  [token.replace("2:01", "2:02"), "the key in .secret_key does not decrypt it: write it in plain"],
  ["enc:ff", "the key in .secret_key does not decrypt it: write it in plain"],
])("%s cannot be opened", async (text, why) => {
  expect(await complaints(withToken(text))).toEqual([`${where} ${why}`]);
});

test.each([
  [null, "cannot be read"],
  ["", "is not 64 hexadecimal digits"],
  [key.slice(2), "is not 64 hexadecimal digits"],
])("without a key that fits (%p)", async (text, why) => {
  if (text === null) rmSync(keyPath);
  else writeFileSync(keyPath, text);
  expect(await complaints(withToken(token))).toEqual([
    `${where} its key .secret_key ${why}: bring it, or write the value in plain`,
  ]);
});

test.each(["EAAB", "EAAB-enc:00", "EAAB enc2:00"])(
  "%s is plain, and needs no key",
  async (text) => {
    rmSync(keyPath);
    const { config } = await read(withToken(text));
    expect(config.channels_config.whatsapp?.access_token).toBe(text);
  },
);

test("a file that comes from the shell is read once", () => {
  const main = join(import.meta.dir, "../../src/main.ts");
  const line = `printf '%s' "$1" | '${process.execPath}' '${main}' status --json --config /dev/stdin`;
  const { stdout } = Bun.spawnSync(["sh", "-c", line, "sh", `# enc2:\n${withToken("EAAB")}`], {
    env: { ...process.env, REVKA_HOME: folder },
  });
  expect(JSON.parse(String(stdout))).toMatchObject({ channels: [{ backend: "cloud" }] });
});

test("the address of a proxy is decrypted too", async () => {
  const hidden = Buffer.from("http://127.0.0.1:1");
  const bytes = Buffer.from(key, "hex");
  const text = `enc:${Buffer.from(hidden.map((byte, i) => byte ^ (bytes[i] ?? 0))).toString("hex")}`;
  const { config } = await read(`${echo}[proxy]\nenabled = true\nhttp_proxy = "${text}"\n`);
  expect(config.proxy?.http_proxy).toBe("http://127.0.0.1:1");
});
