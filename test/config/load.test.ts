import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../src/config/problems.ts";
import { cloud, complaints, echo, folder, load, warnings, web, removeFolder } from "./support.ts";

afterAll(removeFolder);

const noPublicBind =
  "is not a loopback address; set allow_public_bind = true in [gateway] to listen there";

describe("a broken file", () => {
  test("in the order of the file", () => {
    const toml = `${cloud}graph_api_version = "18"\n[gateway]\nport = 0\n[store]\nretention_days = 0\n`;
    expect(complaints(toml).map((line) => line.split(":")[1])).toEqual(["7", "9", "11"]);
  });

  test("a missing file names revka init, an unreadable one its reason", () => {
    const path = join(folder, "none.toml");
    expect(complaints("", { path })).toEqual([
      "none.toml: no such file; `revka init --config none.toml` writes one",
    ]);
    const env = { REVKA_CONFIG: path };
    expect(complaints("", { path: null, env })).toEqual([
      "none.toml: no such file; `revka init` writes one",
    ]);
    expect(complaints("", { path: folder })).toEqual([
      `${folder}: is a directory, expected a file`,
    ]);
    writeFileSync(join(folder, "file"), "");
    expect(complaints("", { path: join(folder, "file", "config.toml") })).toEqual([
      "file/config.toml: cannot be read (a part of its path is no folder)",
    ]);
    const link = join(folder, "link.toml");
    symlinkSync(join(folder, "away.toml"), link);
    expect(complaints("", { path: link })).toEqual([
      "link.toml: is a link to away.toml, which is not there",
    ]);
  });

  test("a file is closed again", () => {
    const next = () => {
      const descriptor = openSync(folder, "r");
      closeSync(descriptor);
      return descriptor;
    };
    load(echo);
    const before = next();
    load(echo);
    expect(next()).toBe(before);
  });

  test("a file that is not UTF-8", () => {
    const path = join(folder, "latin1.toml");
    writeFileSync(path, Buffer.from([0x61, 0x3d, 0x22, 0xe4, 0x22]));
    expect(complaints("", { path })).toEqual(["latin1.toml: is not UTF-8 text"]);
  });

  test("text of two bytes a letter, as some editors write it", () => {
    const path = join(folder, "utf16.toml");
    writeFileSync(path, Buffer.from(echo, "utf16le"));
    expect(complaints("", { path })).toEqual(["utf16.toml: is not UTF-8 text"]);
  });

  test("a pipe is not waited for, and one of the shell is read", () => {
    const path = join(folder, "pipe.toml");
    Bun.spawnSync(["mkfifo", path]);
    expect(complaints("", { path })).toEqual(["pipe.toml: is a pipe, expected a file"]);
    const main = join(import.meta.dir, "../../src/main.ts");
    const line = `printf '[agent]\\nkind="ecko"' | '${process.execPath}' '${main}' status --config /dev/stdin`;
    const { stderr } = Bun.spawnSync(["sh", "-c", line], {
      env: { ...process.env, REVKA_HOME: folder },
    });
    expect(String(stderr)).toStartWith("/dev/stdin:2: agent.kind: ");
  });

  const many = (text: string) => text.repeat(50_000);
  test.each([
    ["a dotted key", `${many("a.")}a = 1`, "agent: nested deeper than 100 keys"],
    ["the name of a table", `[${many("a.")}a]`, "a: nested deeper than 100 keys"],
    ["a list of tables", `[b]\n[[b.${many("a.")}a]]`, "b: nested deeper than 100 keys"],
    ["lists", `a = ${many("[")}${many("]")}`, "excessively nested"],
    ["inline tables", `a = ${many("{a=")}1${many("}")}`, "excessively nested"],
  ])("%s without sense or end", (_name, toml, words) => {
    const [complaint = ""] = complaints(`${echo}${toml}\n`);
    expect(complaint).toContain(words);
    expect(complaint.length).toBeLessThan(120);
  });

  test("a file without an end is not read to its end", () => {
    expect(complaints("", { path: "/dev/zero" })).toEqual(["/dev/zero: is larger than 4 MiB"]);
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
      `${cloud}zzz = 1\nzzzz = [2]\n`,
      [
        "config.toml:7: channels_config.whatsapp.zzz: unknown key, ignored",
        "config.toml:8: channels_config.whatsapp.zzzz: unknown key, ignored",
      ],
    ],
    [
      "names that need quotes, and long ones",
      `"a b" = 1\na-b = 2\n${"c".repeat(40)} = 3\n${"d".repeat(41)} = 4\n"e\\nf" = 5\n${echo}`,
      ['"a b"', "a-b", "c".repeat(40), `${"d".repeat(40)}…`, '"e\\nf"'].map(
        (key, index) => `config.toml:${index + 1}: ${key}: unknown key, ignored`,
      ),
    ],
    [
      "names that mean something to JavaScript",
      `toString = 1\n${echo}[gateway.valueOf]\na = 1\n`,
      [
        "config.toml:1: toString: unknown key, ignored",
        "config.toml:4: gateway.valueOf: a section that means nothing here, ignored",
      ],
    ],
    [
      "sections of the original",
      `${echo}[memory]\nbackend = "sqlite"\n[channels_config.telegram]\nbot_token = "b"\n[[model_routes]]\nhint = "fast"\n`,
      [
        "config.toml:3: memory: a section that means nothing here, ignored",
        "config.toml:5: channels_config.telegram: a section that means nothing here, ignored",
        "config.toml:7: model_routes: a section that means nothing here, ignored",
      ],
    ],
    [
      "a number of the original that only 64 bits hold",
      `${echo}[memory]\nseed = 9223372036854775807\n`,
      ["config.toml:3: memory: a section that means nothing here, ignored"],
    ],
    [
      "entries that allow nobody",
      `${cloud}allowed_numbers = ["+1 (555) 123-4567", "US.134", "Ada", "*", "1@lid"]\n`,
      [2, 4].map(
        (index) =>
          `config.toml:7: channels_config.whatsapp.allowed_numbers[${index}]: expected a number in ` +
          'international form, a BSUID or "*"; the entry is ignored',
      ),
    ],
    [
      "a pair code that nothing uses",
      `${web}pair_code = "ABCD-1234"\n`,
      ["config.toml:5: channels_config.whatsapp.pair_code: has no effect without pair_phone"],
    ],
    [
      "policies of the other mode",
      `${web}dm_policy = "all"\ngroup_policy = "ignore"\nself_chat_mode = true\n`,
      [
        'config.toml:5: channels_config.whatsapp.dm_policy: has no effect unless mode = "personal"',
        'config.toml:6: channels_config.whatsapp.group_policy: has no effect unless mode = "personal"',
        'config.toml:7: channels_config.whatsapp.self_chat_mode: has no effect unless mode = "personal"',
      ],
    ],
    [
      "a proxy for no service",
      `${echo}[proxy]\nenabled = true\nscope = "services"\nall_proxy = "socks5h://127.0.0.1:9050"\n`,
      [
        'config.toml:3: proxy.services: empty, so scope = "services" sends nothing through the proxy',
      ],
    ],
    [
      "a proxy for services that there are not",
      `${echo}[proxy]\nenabled = true\nscope = "services"\nall_proxy = "socks5h://127.0.0.1:9050"\n` +
        `services = ["chanel.whatsapp", "channel.*", "provider.custom", "tool.browser", " TTS.Piper ", "*"]\n`,
      [
        'config.toml:7: proxy.services[0]: names no service, so nothing takes the proxy by it; did you mean "channel.whatsapp"?',
        "config.toml:7: proxy.services[3]: names no service, so nothing takes the proxy by it",
      ],
    ],
  ])("%s", (_name, toml, lines) => {
    expect(warnings(toml)).toEqual(lines);
  });
});

describe("what comes out", () => {
  test.each([
    [-1, 30, true],
    [5, 30, true],
    [30, 30, false],
    [600, 600, false],
  ])("a time-out of %d is one of %d seconds", (given, seconds, warned) => {
    const loaded = load(`${echo}[channels_config]\nmessage_timeout_secs = ${given}\n`);
    expect(loaded.config.channels_config.message_timeout_secs).toBe(seconds);
    expect(loaded.warnings.map(({ key, message }) => `${key} ${message}`)).toEqual(
      warned ? ["channels_config.message_timeout_secs is under 30 and counts as 30"] : [],
    );
  });

  test("defaults", () => {
    const { config, paths } = load(echo);
    expect(paths.store).toBe("/home/ada/.revka/revka.db");
    expect(config.channels_config.message_timeout_secs).toBe(300);
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
    // As addresses of the web have it.
    expect(load(toml, { gateway: { host: "[::1]" } }).config.gateway.host).toBe("::1");
  });

  test("paths lose their ~, addresses their last slash and spaces around them, codes and numbers their punctuation", () => {
    const { config, paths } = load(
      `[agent]\nkind = "command"\ncommand = ["~/bin/agent", "~/x"]\ncwd = "~"\n[store]\npath = "~/r.db"\n` +
        `[gateway.tls]\ncert_path = "~/c.pem"\n[channels_config]\nfailure_reply = "~"\n[channels_config.wati]\napi_token = "tttt"\napi_url = "https://w.example/"\n` +
        `[channels_config.whatsapp]\napi_base_url = " https://g.example/ "\nsession_path = "~/w.db"\npair_phone = "+1 555-123-4567"\npair_code = "abcd-1234"\n`,
    );
    expect(config.agent).toMatchObject({
      command: ["/home/ada/bin/agent", "~/x"],
      cwd: "/home/ada",
    });
    expect(paths.store).toBe("/home/ada/r.db");
    expect(config.gateway.tls.cert_path).toBe("/home/ada/c.pem");
    // No path.
    expect(config.channels_config.failure_reply).toBe("~");
    expect(config.channels_config.wati?.api_url).toBe("https://w.example");
    expect(config.channels_config.whatsapp).toMatchObject({
      api_base_url: "https://g.example",
      session_path: "/home/ada/w.db",
      pair_phone: "15551234567",
      pair_code: "ABCD1234",
    });
  });

  test.each([
    ["EAAB.x", "EAAB.x"],
    ["Bearer EAAB.x", "EAAB.x"],
    [" bearer  EAAB.x\\n", "EAAB.x"],
    ["Bearers.x", "Bearers.x"],
  ])(
    "a token as a platform shows it is the token, and is kept out of the log: %s",
    (given, token) => {
      const { config, secrets } = load(
        `api_key = "${given}"\n${echo}[channels_config.whatsapp]\nphone_number_id = "1"\nverify_token = "Bearer vvvv"\naccess_token = "${given}"\n` +
          `[channels_config.wati]\napi_token = "${given}"\n`,
      );
      expect(config.channels_config.whatsapp?.access_token).toBe(token);
      expect(config.channels_config.wati?.api_token).toBe(token);
      expect(config.api_key).toBe(token);
      expect(secrets).toContain(token);
      // What a person chose is meant to the letter.
      expect(config.channels_config.whatsapp?.verify_token).toBe("Bearer vvvv");
    },
  );

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
