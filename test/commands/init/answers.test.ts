import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import { buildInfo } from "../../../src/runtime/build-info.ts";
import { revka, temporaryHome, widest } from "../../support/command.ts";

const undo: (() => unknown)[] = [];
let env: Record<string, string>;
let file: string;
beforeEach(() => {
  const home = temporaryHome(undo);
  env = { REVKA_HOME: home, HOME: "/nonexistent" };
  file = join(home, "config.toml");
});
afterEach(() => {
  for (const step of undo.splice(0)) step();
});
const loaded = () => loadConfig({ path: file, env, home: "/nonexistent" }).config;

const echo = ["--agent", "echo"];
const web = ["--channel", "web"];
const wati = ["--channel", "wati", "--api-token", "watitoken"];
const model = [...web, "--agent", "model", "--model", "m"];

describe("no secret that is typed is shown, and each is kept", () => {
  test("WATI with a webhook agent", async () => {
    const input = ["wati", "token-s3cret", "", "", "hook-s3cret", "+15551234567"].concat(
      ["webhook", "https://a.example/x", "bearer-s3cret", ""],
      "",
    );
    const { code, out, err } = await revka(["init"], env, {
      input: input.join("\n"),
      interactive: true,
    });
    expect(code).toBe(0);
    expect(out + err).not.toContain("s3cret");
    expect(err).toContain("+15551234567");
    expect(loaded()).toMatchObject({
      channels_config: { wati: { api_token: "token-s3cret", webhook_secret: "hook-s3cret" } },
      agent: { kind: "webhook", bearer_token: "bearer-s3cret" },
    });
  });

  test("Web with a model", async () => {
    const input = ["web", "", "", "*", "model", "openrouter", "a/b", "key-s3cret", ""];
    const { code, out, err } = await revka(["init"], env, {
      input: input.join("\n"),
      interactive: true,
    });
    expect(code).toBe(0);
    expect(out + err).not.toContain("s3cret");
    expect(err).toContain("a/b");
    expect(loaded().api_key).toBe("key-s3cret");
  });

  test("Cloud's verify token", async () => {
    const input = ["cloud", "123456789", "tok-s3cret", "app-s3cret", "ver-s3cret", "", "echo", ""];
    const { code, out, err } = await revka(["init"], env, {
      input: [...input, ""].join("\n"),
      interactive: true,
    });
    expect(code).toBe(0);
    expect(out + err).not.toContain("s3cret");
    expect(loaded().channels_config.whatsapp?.verify_token).toBe("ver-s3cret");
  });
});

describe("WATI", () => {
  test("has a webhook secret of its own where none is given, another each time", async () => {
    const made: unknown[] = [];
    for (const name of ["one.toml", "two.toml"]) {
      file = join(env["REVKA_HOME"] ?? "", name);
      expect((await revka(["init", ...wati, ...echo, "--config", file], env)).code).toBe(0);
      made.push(loaded().channels_config.wati?.webhook_secret);
    }
    expect(made).toEqual([
      expect.stringMatching(/^[\w-]{32}$/),
      expect.stringMatching(/^[\w-]{32}$/),
    ]);
    expect(made[0]).not.toBe(made[1]);
  });

  test("keeps tenant, address and secret as they are given", async () => {
    const words = ["--tenant-id", "shop", "--webhook-secret", "hush-hush"];
    await revka(["init", ...wati, ...echo, ...words, "--api-url", "https://eu.example"], env);
    expect(loaded().channels_config.wati).toMatchObject({
      tenant_id: "shop",
      webhook_secret: "hush-hush",
      api_url: "https://eu.example",
    });
  });
});

test.each([
  ["http://a.example/x", ""],
  ["http://127.0.0.1:8787/", "s3cret"],
  ["https://a.example/x", "s3cret"],
])("the agent at %s takes the token %p", async (url, token) => {
  const words = ["--agent", "webhook", "--agent-url", url];
  const { code } = await revka(
    ["init", ...web, ...words, ...(token ? ["--agent-token", token] : [])],
    env,
  );
  expect(code).toBe(0);
  expect(loaded().agent).toMatchObject({ url });
});

describe("what cannot be is refused before anything is written", () => {
  test.each<[string[], string]>([
    [[...web, ...echo, "--pair-phone", "12"], "--pair-phone: country code and number"],
    [[...web, ...echo, "--pair-phone", "1555x1234567"], "--pair-phone: country code and number"],
    [[...web, ...echo, "--pair-phone", "01715551234"], "--pair-phone: country code and number"],
    [
      [...web, ...echo, "--allow", "+15551234567,0171 5551234"],
      '--allow: "0171 5551234" is neither a number with its country code, such as +15551234567, nor *',
    ],
    [[...web, ...echo, "--allow", "+0015551234567"], '--allow: "+0015551234567" is neither'],
    [[...web, ...echo, "--allow", "US.13/49"], '--allow: "US.13/49" is neither'],
    [[...model, "--provider", "custom:models.example"], "--provider: after custom: comes an"],
    [[...model, "--provider", "custom:"], "--provider: after custom: comes an"],
    [
      ["--channel", "wati", "--api-token", "t", ...echo, "--api-url", "http://wati.example"],
      "--api-url: expected https://",
    ],
    [
      ["--channel", "wati", "--api-token", "t", ...echo, "--api-url", "wati.example"],
      "--api-url: an address such as https://live-mt-server.wati.io",
    ],
    [
      [...web, "--agent", "webhook", "--agent-url", "http://a.example", "--agent-token", "s3cret"],
      "--agent-token: over http:// it may go to this machine alone",
    ],
    [
      [...model, "--provider", "custom:http://a.example/v1", "--api-key", "s3cret"],
      "--api-key: over http:// it may go to this machine alone",
    ],
    [[...web, "--agent", "command", "--agent-command", "''"], "--agent-command: this is needed"],
    [[...web, "--agent", "command", "--agent-command", "  "], "--agent-command: this is needed"],
  ])("%p", async (words, message) => {
    const { code, err } = await revka(["init", ...words], env);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(existsSync(file)).toBe(false);
  });
});

test.each([
  ["custom:https://models.example/v1", "Only where the server wants one."],
  ["ollama", "Only where the server wants one."],
  ["openai", "the provider's usual environment variable is used"],
])("the file says of %s where its key comes from", async (provider, words) => {
  expect((await revka(["init", ...model, "--provider", provider], env)).code).toBe(0);
  expect(readFileSync(file, "utf8")).toContain(words);
  expect(loaded().default_provider).toBe(provider);
});

describe("who is answered is judged as the config judges it", () => {
  test("00 stands for the plus, which is written, and told", async () => {
    const words = ["--allow", "0015551234567, 00 44 (20) 7946-0018, US.13491208655302741918, 123"];
    const pairing = ["--pair-phone", "0015551234567"];
    const { code, err } = await revka(["init", ...web, ...echo, ...words, ...pairing], env);
    expect({ code, err }).toEqual({
      code: 0,
      err:
        "0015551234567 is written as +15551234567.\n" +
        "0015551234567 is written as +15551234567.\n" +
        "00 44 (20) 7946-0018 is written as +442079460018.\n",
    });
    const { whatsapp } = loaded().channels_config;
    expect(whatsapp?.allowed_numbers).toEqual([
      "+15551234567",
      "+442079460018",
      "US.13491208655302741918",
      "123",
    ]);
    expect(whatsapp?.pair_phone).toBe("15551234567");
  });

  test("at the prompt too, where a number of one country alone is asked for again", async () => {
    const input = ["web", "", "", "01715551234", "004917155512345", "echo", ""].join("\n");
    const { code, err } = await revka(["init"], env, { input, interactive: true });
    expect(code).toBe(0);
    expect(err).toContain('  "01715551234" is neither a number with its country code');
    expect(err).toContain("004917155512345 is written as +4917155512345.\n");
    expect(loaded().channels_config.whatsapp?.allowed_numbers).toEqual(["+4917155512345"]);
  });
});

describe("an address that ends in the route of the webhook is taken without it, and that is told", () => {
  const cloud = ["--channel", "cloud", "--phone-number-id", "123456789", "--access-token", "EAAx"];
  test.each<[string[], given: string, taken: string, callback: string]>([
    [cloud, "https://bot.example/whatsapp", "https://bot.example", "https://bot.example/whatsapp"],
    [
      cloud,
      "https://bot.example/bot/whatsapp/",
      "https://bot.example/bot",
      "https://bot.example/bot/whatsapp",
    ],
    [
      wati,
      "https://bot.example:8443/wati?secret=hush",
      "https://bot.example:8443",
      "https://bot.example:8443/wati?secret=…",
    ],
  ])("%p %s", async (channel, given, taken, callback) => {
    const { code, out, err } = await revka(
      ["init", ...channel, ...echo, "--public-url", given],
      env,
    );
    const route = channel === wati ? "/wati" : "/whatsapp";
    expect(widest(err)).toBeLessThanOrEqual(80);
    expect({ code, err: err.replaceAll("\n", " ") }).toEqual({
      code: 0,
      err: `The public address is taken as ${taken}, since ${route} is added to it. `,
    });
    expect(loaded().gateway.public_url).toBe(taken);
    expect(out.replaceAll("\n", " ")).toContain(`to ${callback} `);
  });

  test.each([
    [cloud, "https://bot.example/mywhatsapp"],
    [cloud, "https://bot.example/whatsapp/in"],
    [cloud, "https://bot.example/wati"],
    [wati, "https://bot.example/whatsapp"],
    [cloud, "https://whatsapp"],
  ])("%p %s is kept as it is", async (channel, given) => {
    const { code, err } = await revka(["init", ...channel, ...echo, "--public-url", given], env);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(loaded().gateway.public_url).toBe(given);
  });
});

test.each([
  ["rel.db", resolve("rel.db")],
  ["~/rel.db", "~/rel.db"],
  ["/srv/x.db", "/srv/x.db"],
])("the session file %s is written so that every folder finds it", async (given, written) => {
  await revka(["init", ...web, ...echo, "--session-path", given], env);
  expect(readFileSync(file, "utf8")).toContain(`session_path = "${written}"`);
});

test("Web is offered with the words that this build does not hold it, where it does not", async () => {
  const offered = async () => (await revka(["init"], env, { interactive: true })).err;
  const words = "Web is not in this build";
  expect(await offered()).not.toContain(words);
  const { variant } = buildInfo;
  buildInfo.variant = "default";
  try {
    expect(await offered()).toContain(words);
  } finally {
    buildInfo.variant = variant;
  }
});

test("a file without text is called empty, also for a secret that may be left out", async () => {
  const empty = join(env["REVKA_HOME"] ?? "", "empty");
  writeFileSync(empty, "\n");
  for (const flag of ["api-token", "webhook-secret"]) {
    const words = [...wati.slice(0, flag === "api-token" ? 2 : 4), `--${flag}`, `@${empty}`];
    const { code, err } = await revka(["init", ...words, ...echo], env);
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining(`--${flag}: the file ${empty} is empty`),
    });
  }
});

test("the help names every provider that may be given", async () => {
  expect((await revka(["init", "--help"], env)).out).toContain("custom:URL");
});

test.each([
  [["--channel", "WATI", "--api-token", "x"], ["--agent", "Echo"], "echo"],
  [["--channel", "Web"], ["--agent", "model", "--provider", "OpenAI", "--model", "m"], "model"],
])("%p: a word to choose is taken in either case", async (channel, agent, kind) => {
  const { code, err } = await revka(["init", ...channel, ...agent], env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(readFileSync(file, "utf8")).toContain(`kind = "${kind}"`);
});

const withToken = (token: string) => [
  ...["--channel", "cloud", "--phone-number-id", "123456789", "--access-token", token],
  ...echo,
];

test.each(["EAAx EAAy", "EAAx\nEAAy", "Bearer EAAx EAAy"])(
  "%p is no access token",
  async (token) => {
    const { code, err } = await revka(["init", ...withToken(token)], env);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("no blank") });
  },
);

test("an access token may be pasted with its scheme, which alone is none", async () => {
  const { code, err } = await revka(["init", ...withToken("Bearer")], env);
  expect({ code, err }).toMatchObject({ code: 78, err: expect.stringContaining("holds no token") });
  expect((await revka(["init", ...withToken("Bearer EAAx")], env)).code).toBe(0);
});

test("an address of WATI that is none is told with one that is", async () => {
  const { err } = await revka(["init", ...wati, ...echo, "--api-url", "live-1.wati.io"], env);
  expect(err).toContain("--api-url: an address such as https://live-mt-server.wati.io");
});
