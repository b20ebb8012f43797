import { afterAll, describe, expect, test } from "bun:test";
import { complaints, echo, notLoopback, notAProxy, removeFolder } from "./support.ts";

afterAll(removeFolder);

const https = "expected an address that begins with https://";
const noPublicBind =
  "is not a loopback address; set allow_public_bind = true in [gateway] to listen there";

describe("a broken file says what is wrong, and where", () => {
  test.each<[name: string, toml: string, lines: string[]]>([
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
      "numbers that only 64 bits hold, one of them an id",
      `${echo}[gateway]\nport = -9223372036854775808\n[channels_config.whatsapp]\nphone_number_id = 9223372036854775807\n`,
      [
        "config.toml:4: gateway.port: expected an integer from 1 to 65535, found -9223372036854775808",
        "config.toml:6: channels_config.whatsapp.phone_number_id: expected a string, found an integer",
      ],
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
    ...["/a/", "a", "/", "//a", "/a b", "/a?b", "/a#b", "/a\\\\b", "/..", "/a/../b", "/."].map(
      (prefix): [string, string, string[]] => [
        `a prefix that no address has (${prefix})`,
        `${echo}[gateway]\npath_prefix = "${prefix}"\n`,
        [
          'config.toml:4: gateway.path_prefix: expected a path that starts with "/" and does not end with it, without "?", "#", "\\" and parts of dots',
        ],
      ],
    ),
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
      "lists and dates where tables belong",
      `store = []\ngateway = 2026-01-01\n${echo}[channels_config]\nwati = [{}]\n`,
      [
        "config.toml:1: store: expected a table, found a list",
        "config.toml:2: gateway: expected a table, found a date",
        "config.toml:6: channels_config.wati: expected a table, found a list",
      ],
    ],
    [
      "a store that is no table",
      `store = "x"\n${echo}`,
      ["config.toml:1: store: expected a table, found a string"],
    ],
    [
      "other things where texts belong",
      `api_key = true\napi_url = { a = 1 }\n${echo}url = 2026-01-01\n`,
      [
        "config.toml:1: api_key: expected a string, found a boolean",
        "config.toml:2: api_url: expected a string, found a table",
        "config.toml:5: agent.url: expected a string, found a date",
      ],
    ],
    [
      "no days of retention",
      `${echo}[store]\nretention_days = 0\n`,
      ["config.toml:4: store.retention_days: expected an integer of 1 or more, found 0"],
    ],
    [
      "a proxy switched on without an address",
      `${echo}[proxy]\nenabled = true\n`,
      ["config.toml:4: proxy.enabled: true needs http_proxy, https_proxy or all_proxy"],
    ],
    [
      "a proxy of another kind",
      `${echo}[proxy]\nall_proxy = "ftp://x"\n`,
      [`config.toml:4: proxy.all_proxy: ${notAProxy}`],
    ],
    [
      "a tunnel of one's own without a command",
      `${echo}[tunnel]\nprovider = "custom"\n`,
      ['config.toml:3: tunnel.custom.start_command: missing; provider = "custom" needs it'],
    ],
    [
      "OpenVPN without its file",
      `${echo}[tunnel]\nprovider = "openvpn"\n[tunnel.openvpn]\nadvertise_address = "x"\n`,
      ['config.toml:5: tunnel.openvpn.config_file: missing; provider = "openvpn" needs it'],
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
      "a text without quotes",
      "api_key = kkkk\n",
      ["config.toml:1: not valid TOML: invalid value; a text stands in quotes"],
    ],
    [
      "a text whose last quote is missing",
      '[agent]\nkind = "echo\n',
      [
        "config.toml:2: not valid TOML: control characters are not allowed in strings; a text of one line ends with the quote that it begins with",
      ],
    ],
    [
      "a key set twice",
      'api_key = "kkkk"\napi_key = "kkkk"',
      ["config.toml:2: not valid TOML: trying to redefine an already defined table or value"],
    ],
  ])("%s", (_name, toml, lines) => {
    expect(complaints(toml)).toEqual(lines);
  });
});
