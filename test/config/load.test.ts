import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type LoadOptions } from "../../src/config/load.ts";
import { outlineOf, type Outline } from "../../src/config/outline.ts";
import { ConfigError, formatProblem } from "../../src/config/problems.ts";
import { configSchema } from "../../src/config/schema.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "config.toml");

const load = (toml: string, options: Partial<LoadOptions> = {}) => {
  writeFileSync(file, toml);
  return loadConfig({ path: file, env: {}, home: "/home/ada", ...options });
};

/** What a person reads, the file's name shortened to its last part. */
const complaints = (toml: string, options: Partial<LoadOptions> = {}): string[] => {
  try {
    load(toml, options);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ""));
  }
};

const warnings = (toml: string): string[] =>
  load(toml).warnings.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ""));

const echo = '[agent]\nkind = "echo"\n';
const cloud = `${echo}[channels_config.whatsapp]\nphone_number_id = "1"\naccess_token = "tttt"\nverify_token = "vvvv"\n`;
const web = `${echo}[channels_config.whatsapp]\nsession_path = "/s.db"\n`;
const wati = `${echo}[channels_config.wati]\napi_token = "tttt"\n`;
const noAgent =
  'nobody is set to answer: add [agent] with kind = "webhook" and url, kind = "command" and command, or ' +
  'kind = "echo"; or set default_provider and default_model';
const https = "expected an address that begins with https://";
const notLoopback = "expected https://, because http:// is allowed to a loopback address only";
const proxy =
  "expected the address of a proxy that begins with http://, https://, socks5:// or socks5h://";
const noPublicBind =
  "is not a loopback address; set allow_public_bind = true in [gateway] to listen there";

describe("a broken file says what is wrong, and where", () => {
  test.each<[name: string, toml: string, lines: string[]]>([
    ["an empty file", "", [`config.toml:1: agent: ${noAgent}`]],
    [
      "channels, nobody to answer",
      '[gateway]\nhost = "::1"\n',
      [`config.toml:1: agent: ${noAgent}`],
    ],
    [
      "a model without a name",
      'default_provider = "openai"',
      ['config.toml:1: default_model: missing; kind = "model" needs a model name'],
    ],
    [
      "a model without a provider",
      'default_model = "m"',
      ['config.toml:1: default_provider: missing; kind = "model" needs one, such as "openrouter"'],
    ],
    [
      "an unknown provider",
      'default_model = "m"\ndefault_provider = "openruter"',
      [
        'config.toml:2: default_provider: expected "openrouter", "openai", "anthropic", "groq", "ollama" or ' +
          '"custom:https://…", found another string; did you mean "openrouter"?',
      ],
    ],
    [
      "a custom provider without an address",
      'default_model = "m"\ndefault_provider = "custom:llm"',
      ["config.toml:2: default_provider: expected an http or https address after custom:"],
    ],
    [
      "a key sent in the clear",
      'default_model = "m"\ndefault_provider = "custom:http://llm.example/v1"\napi_key = "kkkk"',
      [`config.toml:2: default_provider: ${notLoopback} when api_key is set`],
    ],
    [
      "a provider's address in the clear",
      'default_model = "m"\ndefault_provider = "openai"\napi_url = "http://llm.example"',
      [`config.toml:3: api_url: ${notLoopback}`],
    ],
    [
      "a webhook without an address",
      '\n[agent]\nkind = "webhook"\n',
      ['config.toml:2: agent.url: missing; kind = "webhook" needs an address'],
    ],
    [
      "a webhook with another scheme",
      '[agent]\nkind = "webhook"\nurl = "ftp://x"\n',
      ["config.toml:3: agent.url: expected an http or https address"],
    ],
    [
      "a bearer in the clear",
      '[agent]\nkind = "webhook"\nurl = "http://x.example"\nbearer_token = "bbbb"\n',
      [`config.toml:3: agent.url: ${notLoopback} when bearer_token is set`],
    ],
    [
      "a command without a program",
      '[agent]\nkind = "command"\n',
      [
        'config.toml:1: agent.command: missing; kind = "command" needs a list such as ["/usr/bin/my-agent"]',
      ],
    ],
    [
      "an empty command",
      '[agent]\nkind = "command"\ncommand = []\n',
      ["config.toml:3: agent.command: expected at least one item"],
    ],
    [
      "a command as text",
      '[agent]\nkind = "command"\ncommand = "run me"\n',
      ["config.toml:3: agent.command: expected a list of strings, found a string"],
    ],
    [
      "an unknown kind of agent",
      '[agent]\nkind = "webhok"\n',
      [
        'config.toml:2: agent.kind: expected "model", "webhook", "command" or "echo", found another string; ' +
          'did you mean "webhook"?',
      ],
    ],
    [
      "an agent that is no table",
      "agent = 5",
      ["config.toml:1: agent: expected a table, found an integer"],
    ],
    [
      "a port as text",
      `${echo}[gateway]\nport = "42617"\n`,
      ["config.toml:4: gateway.port: expected an integer from 1 to 65535, found a string"],
    ],
    [
      "a port too high",
      `${echo}[gateway]\nport = 70000\n`,
      ["config.toml:4: gateway.port: expected an integer from 1 to 65535, found 70000"],
    ],
    [
      "a port with decimals",
      `${echo}[gateway]\nport = 1.5\n`,
      ["config.toml:4: gateway.port: expected an integer from 1 to 65535, found a decimal number"],
    ],
    [
      "a boolean as text, and nothing that follows from it",
      `${echo}[gateway]\nhost = "0.0.0.0"\nallow_public_bind = "yes"\n`,
      ["config.toml:5: gateway.allow_public_bind: expected true or false, found a string"],
    ],
    [
      "a public listener",
      `${echo}[gateway]\nhost = "0.0.0.0"\n`,
      [`config.toml:4: gateway.host: ${noPublicBind}`],
    ],
    [
      "a prefix that ends in a slash",
      `${echo}[gateway]\npath_prefix = "/a/"\n`,
      [
        'config.toml:4: gateway.path_prefix: expected a path that starts with "/" and does not end with it',
      ],
    ],
    [
      "a public address in the clear",
      `${echo}[gateway]\npublic_url = "x"\n`,
      [`config.toml:4: gateway.public_url: ${https}`],
    ],
    [
      "TLS without its files",
      `${echo}[gateway.tls]\nenabled = true\n`,
      [
        "config.toml:3: gateway.tls.cert_path: missing; [gateway.tls] enabled = true needs it",
        "config.toml:3: gateway.tls.key_path: missing; [gateway.tls] enabled = true needs it",
      ],
    ],
    [
      "a store that is no table",
      `store = "x"\n${echo}`,
      ["config.toml:1: store: expected a table, found a string"],
    ],
    [
      "no days of retention",
      `${echo}[store]\nretention_days = 0\n`,
      ["config.toml:4: store.retention_days: expected an integer of 1 or more, found 0"],
    ],
    [
      "Cloud mode without its tokens, one of them blank",
      `${echo}\n[channels_config.whatsapp]\nphone_number_id = "1"\naccess_token = ""\n`,
      [
        "config.toml:4: channels_config.whatsapp.verify_token: missing; Cloud API mode (phone_number_id is set) needs it",
        "config.toml:6: channels_config.whatsapp.access_token: missing; Cloud API mode (phone_number_id is set) needs it",
      ],
    ],
    [
      "a phone number id as a number",
      `${echo}[channels_config.whatsapp]\nphone_number_id = 123\n`,
      [
        "config.toml:4: channels_config.whatsapp.phone_number_id: expected a string, found an integer",
      ],
    ],
    [
      "a phone number id that leads elsewhere",
      `${cloud.replace('"1"', '"../1"')}`,
      [
        "config.toml:4: channels_config.whatsapp.phone_number_id: expected the digits that Meta shows as phone number ID",
      ],
    ],
    [
      "a list item of another type",
      `${cloud}allowed_numbers = [\n  "+15551234567",\n  "*",\n  15551234567,\n]\n`,
      [
        "config.toml:10: channels_config.whatsapp.allowed_numbers[2]: expected a string, found an integer",
      ],
    ],
    [
      "a list as text",
      `${cloud}allowed_numbers = "*"\n`,
      [
        "config.toml:7: channels_config.whatsapp.allowed_numbers: expected a list of strings, found a string",
      ],
    ],
    [
      "a version that is none",
      `${cloud}graph_api_version = "18"\n`,
      [
        "config.toml:7: channels_config.whatsapp.graph_api_version: expected a version such as v26.0",
      ],
    ],
    [
      "the Graph API in the clear",
      `${cloud}api_base_url = "http://graph.example"\n`,
      [`config.toml:7: channels_config.whatsapp.api_base_url: ${notLoopback}`],
    ],
    [
      "the socket in the clear",
      `${web}ws_url = "ws://10.0.0.1/"\n`,
      [
        "config.toml:5: channels_config.whatsapp.ws_url: expected wss://, because ws:// is allowed to a loopback address only",
      ],
    ],
    [
      "a proxy without a scheme",
      `${cloud}proxy_url = "proxy:1080"\n`,
      [`config.toml:7: channels_config.whatsapp.proxy_url: ${proxy}`],
    ],
    [
      "a mode that is none",
      `${web}mode = "private"\n`,
      [
        'config.toml:5: channels_config.whatsapp.mode: expected "business" or "personal", found another string',
      ],
    ],
    [
      "a pair code too short",
      `${web}pair_phone = "15551234567"\npair_code = "ABC"\n`,
      [
        'config.toml:6: channels_config.whatsapp.pair_code: expected 8 letters or digits, or "" to have one made',
      ],
    ],
    [
      "a pair phone that is none",
      `${web}pair_phone = "me"\n`,
      [
        "config.toml:5: channels_config.whatsapp.pair_phone: expected country code and number, digits only, such as 15551234567",
      ],
    ],
    [
      "WATI without its token",
      `${echo}[channels_config.wati]\n`,
      ["config.toml:3: channels_config.wati.api_token: missing; WATI needs it"],
    ],
    [
      "WATI in the clear",
      `${wati}api_url = "http://wati.example"\n`,
      [`config.toml:5: channels_config.wati.api_url: ${notLoopback}`],
    ],
    [
      "a time-out as text, in an inline table",
      `${echo}[channels_config]\nmessage_timeout_secs = "5m"\nwati = { api_token = 5 }\n`,
      [
        "config.toml:4: channels_config.message_timeout_secs: expected an integer of 0 or more, found a string",
        "config.toml:5: channels_config.wati.api_token: expected a string, found an integer",
      ],
    ],
    [
      "bursts merged for too long",
      `${echo}[channels_config]\ndebounce_ms = 90000\n`,
      [
        "config.toml:4: channels_config.debounce_ms: expected an integer from 0 to 60000, found 90000",
      ],
    ],
    [
      "a proxy switched on without an address",
      `${echo}[proxy]\nenabled = true\n`,
      ["config.toml:4: proxy.enabled: true needs http_proxy, https_proxy or all_proxy"],
    ],
    [
      "a proxy of another kind",
      `${echo}[proxy]\nall_proxy = "ftp://x"\n`,
      [`config.toml:4: proxy.all_proxy: ${proxy}`],
    ],
    [
      "speech out of range, as a dotted key",
      `tts.openai.speed = 9\n${echo}`,
      ["config.toml:1: tts.openai.speed: expected a number from 0.25 to 4, found 9"],
    ],
    [
      "recordings in the clear",
      `${echo}[transcription]\napi_url = "http://stt.example"\n`,
      [`config.toml:4: transcription.api_url: ${notLoopback}`],
    ],
    [
      "a Whisper server without an address",
      `${echo}[transcription]\nenabled = true\ndefault_provider = "local_whisper"\n`,
      [
        'config.toml:3: transcription.local_whisper.url: missing; default_provider = "local_whisper" needs it',
      ],
    ],
    [
      "text that is not TOML",
      `${echo}[gateway\n`,
      ["config.toml:3: not valid TOML: illegal character in key"],
    ],
    [
      "a key set twice",
      'api_key = "kkkk"\napi_key = "kkkk"',
      ["config.toml:2: not valid TOML: trying to redefine an already defined table or value"],
    ],
  ])("%s", (_name, toml, lines) => {
    expect(complaints(toml)).toEqual(lines);
  });

  test("in the order of the file", () => {
    const toml = `${cloud}graph_api_version = "18"\n[gateway]\nport = 0\n[store]\nretention_days = 0\n`;
    expect(complaints(toml).map((line) => line.split(":")[1])).toEqual(["7", "9", "11"]);
  });

  test("a missing file names revka init, an unreadable one its reason", () => {
    const path = join(folder, "none.toml");
    expect(complaints("", { path })).toEqual(["none.toml: no such file; `revka init` writes one"]);
    expect(complaints("", { path: folder })).toEqual([
      `${folder}: is a directory, expected a file`,
    ]);
  });

  test("a file that is not UTF-8", () => {
    const path = join(folder, "latin1.toml");
    writeFileSync(path, Buffer.from([0x61, 0x3d, 0x22, 0xe4, 0x22]));
    expect(complaints("", { path })).toEqual(["latin1.toml: is not UTF-8 text"]);
  });

  test("the environment is named where it is at fault", () => {
    const env = { REVKA_GATEWAY_HOST: "0.0.0.0", REVKA_GATEWAY_PORT: "http" };
    expect(complaints(echo, { env })).toEqual([
      "environment: REVKA_GATEWAY_PORT: expected an integer from 1 to 65535",
      `environment: REVKA_GATEWAY_HOST: ${noPublicBind}`,
    ]);
    expect(complaints(echo, { gateway: { host: "0.0.0.0" } })).toEqual([
      `command line: --host: ${noPublicBind}`,
    ]);
  });

  test("warnings come along with the problems", () => {
    try {
      load(
        `${echo}[channels_config.whatsapp]\nphone_number_id = "1"\nverify_token = "v"\nacces_token = "t"`,
      );
      throw new Error("expected a ConfigError");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.warnings.map(({ message }) => message)).toEqual([
        'unknown key, ignored; did you mean "access_token"?',
      ]);
    }
  });
});

describe("a file that works may still deserve a word", () => {
  test.each<[name: string, toml: string, lines: string[]]>([
    ["nothing to say", cloud, []],
    [
      "a misspelt key",
      `${cloud}alowed_numbers = ["*"]\n`,
      [
        'config.toml:7: channels_config.whatsapp.alowed_numbers: unknown key, ignored; did you mean "allowed_numbers"?',
      ],
    ],
    [
      "a key of nobody",
      `${cloud}zzz = 1\n`,
      ["config.toml:7: channels_config.whatsapp.zzz: unknown key, ignored"],
    ],
    [
      "sections of the original",
      `${echo}[memory]\nbackend = "sqlite"\n[channels_config.telegram]\nbot_token = "b"\n`,
      [
        "config.toml:3: memory: a section that means nothing here, ignored",
        "config.toml:5: channels_config.telegram: a section that means nothing here, ignored",
      ],
    ],
    [
      "entries that allow nobody",
      `${cloud}allowed_numbers = ["+1 (555) 123-4567", "US.134", "Ada", "*", "1@lid"]\n`,
      [2, 4].map(
        (index) =>
          `config.toml:7: channels_config.whatsapp.allowed_numbers[${index}]: expected a number such as ` +
          '"+15551234567", a BSUID or "*"; the entry is ignored',
      ),
    ],
    [
      "a pair code that nothing uses",
      `${web}pair_code = "ABCD-1234"\n`,
      ["config.toml:5: channels_config.whatsapp.pair_code: has no effect without pair_phone"],
    ],
    [
      "policies of the other mode",
      `${web}dm_policy = "all"\ngroup_policy = "ignore"\n`,
      [
        'config.toml:5: channels_config.whatsapp.dm_policy: has no effect unless mode = "personal"',
        'config.toml:6: channels_config.whatsapp.group_policy: has no effect unless mode = "personal"',
      ],
    ],
    [
      "a proxy for no service",
      `${echo}[proxy]\nenabled = true\nscope = "services"\nall_proxy = "socks5h://127.0.0.1:9050"\n`,
      [
        'config.toml:3: proxy.services: empty, so scope = "services" sends nothing through the proxy',
      ],
    ],
  ])("%s", (_name, toml, lines) => {
    expect(warnings(toml)).toEqual(lines);
  });
});

describe("what comes out", () => {
  test("defaults, and a time-out of at least 30 seconds", () => {
    const { config } = load(`${echo}[channels_config]\nmessage_timeout_secs = 5\n`);
    expect(config.channels_config.message_timeout_secs).toBe(30);
    expect(config.gateway).toMatchObject({ host: "127.0.0.1", port: 42617 });
  });

  test("a blank text is unset, except where blank means something", () => {
    const { config } = load(
      `${echo}[channels_config]\nfailure_reply = ""\n[channels_config.whatsapp]\nphone_number_id = ""\nproxy_url = " "\n[gateway]\nhost = ""\n`,
    );
    expect(config.channels_config.failure_reply).toBe("");
    expect(config.channels_config.whatsapp).not.toContainAnyKeys(["phone_number_id", "proxy_url"]);
    expect(config.gateway.host).toBe("127.0.0.1");
  });

  test("the environment wins over the file, the command line over both; blank is unset", () => {
    const toml = `${cloud}app_secret = "from-file"\n[gateway]\nhost = "127.0.0.2"\nport = 1\n`;
    const env = {
      REVKA_GATEWAY_HOST: "localhost",
      REVKA_GATEWAY_PORT: "8080",
      REVKA_WHATSAPP_APP_SECRET: "from-env",
    };
    const inEnv = load(toml, { env }).config;
    expect(inEnv.gateway).toMatchObject({ host: "localhost", port: 8080 });
    expect(inEnv.channels_config.whatsapp?.app_secret).toBe("from-env");
    const blank = { REVKA_GATEWAY_HOST: "", REVKA_GATEWAY_PORT: "", REVKA_WHATSAPP_APP_SECRET: "" };
    const inFile = load(toml, { env: blank }).config;
    expect(inFile.gateway).toMatchObject({ host: "127.0.0.2", port: 1 });
    expect(inFile.channels_config.whatsapp?.app_secret).toBe("from-file");
    const flags = load(toml, { env, gateway: { host: "::1", port: 0 } }).config;
    expect(flags.gateway).toMatchObject({ host: "::1", port: 0 });
  });

  test("paths lose their ~, addresses their last slash, codes and numbers their punctuation", () => {
    const { config, paths } = load(
      `[agent]\nkind = "command"\ncommand = ["~/bin/agent", "~/x"]\ncwd = "~"\n[store]\npath = "~/r.db"\n` +
        `[gateway.tls]\ncert_path = "~/c.pem"\n[channels_config.wati]\napi_token = "tttt"\napi_url = "https://w.example/"\n` +
        `[channels_config.whatsapp]\nsession_path = "~/w.db"\npair_phone = "+1 555-123-4567"\npair_code = "abcd-1234"\n`,
    );
    expect(config.agent).toMatchObject({
      command: ["/home/ada/bin/agent", "~/x"],
      cwd: "/home/ada",
    });
    expect(paths.store).toBe("/home/ada/r.db");
    expect(config.gateway.tls.cert_path).toBe("/home/ada/c.pem");
    expect(config.channels_config.wati?.api_url).toBe("https://w.example");
    expect(config.channels_config.whatsapp).toMatchObject({
      session_path: "/home/ada/w.db",
      pair_phone: "15551234567",
      pair_code: "ABCD1234",
    });
  });

  test("plain http to loopback is fine", () => {
    const urls = [
      "http://127.0.0.1:1",
      "http://127.9.9.9",
      "http://localhost:1",
      "http://[::1]:1/",
    ];
    for (const url of urls) expect(complaints(`${cloud}api_base_url = "${url}"\n`)).toEqual([]);
    for (const url of ["http://127.0.0.1.example", "http://localhost.example", "http://[::2]"]) {
      expect(complaints(`${cloud}api_base_url = "${url}"\n`)).toHaveLength(1);
    }
  });

  test("keys that mean something to JavaScript do no harm", () => {
    const { config } = load(`${echo}[__proto__]\nx = 1\n[constructor]\ny = 2\n`);
    expect("x" in config).toBe(false);
    expect(Object.getPrototypeOf(config)).toBe(Object.prototype);
  });
});

describe("secrets", () => {
  const marker = "sEcReT-0123456789";

  /** Every leaf of the file, filled with a secret in every wrong and right shape. */
  const shapes = [`"${marker}"`, `["${marker}"]`, `{ "x" = "${marker}" }`, `[{ x = "${marker}" }]`];

  const leaves = (outline: Outline, path: string): string[] =>
    outline.kind === "table"
      ? [...outline.keys].flatMap(([key, part]) => [
          ...(part.kind === "table" ? [`${path}${key}`] : []),
          ...leaves(part, `${path}${key}.`),
        ])
      : [path.slice(0, -1)];

  test("are in no problem and no warning, wherever they were put", () => {
    const keys = leaves(outlineOf(configSchema), "");
    expect(keys.length).toBeGreaterThan(80);
    for (const key of keys) {
      for (const shape of shapes) {
        const toml = `${key} = ${shape}\n`;
        let said = complaints(toml).join("\n");
        if (said === "") said = warnings(toml).join("\n");
        expect(said).not.toContain(marker);
      }
    }
  });

  test("are in no complaint about TOML itself", () => {
    for (const toml of [
      `access_token = ${marker}`,
      `access_token = "${marker}`,
      `access_token = "${marker}\\q"`,
      `"${marker}"`,
      `x = 2026-01-01T${marker}`,
      `x = [ ${marker} ]`,
    ]) {
      const said = complaints(toml);
      expect(said).toHaveLength(1);
      expect(said[0]).not.toContain(marker);
    }
  });

  test("are listed for the log: keys, passwords in addresses, the environment, URL forms", () => {
    const { secrets } = load(
      `${cloud.replace("tttt", "tok/en")}proxy_url = "socks5://user:p%40ssword@127.0.0.1:1"\n[transcription.openai]\napi_key = "key-in-table"\n`,
      {
        env: {
          OPENAI_API_KEY: "key-in-env",
          HTTPS_PROXY: "http://u:pw-in-env@h",
          PATH: "/bin",
          GH_TOKEN: "",
        },
      },
    );
    expect(secrets.toSorted()).toEqual(
      [
        "tok/en",
        "tok%2Fen",
        "vvvv",
        "p@ssword",
        "p%40ssword",
        "key-in-table",
        "key-in-env",
        "pw-in-env",
      ].toSorted(),
    );
  });
});
