import { afterAll, describe, expect, test } from "bun:test";
import { cloud, complaints, echo, wati, web, removeFolder } from "./support.ts";

afterAll(removeFolder);

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
      [
        `config.toml:2: default_provider: expected https://, because api_key is set, and http:// is then allowed to a loopback address only`,
      ],
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
      [
        `config.toml:3: agent.url: expected https://, because bearer_token is set, and http:// is then allowed to a loopback address only`,
      ],
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
      "a command with a number, and nothing that follows from it",
      '[agent]\nkind = "command"\ncommand = ["run", 1]\n',
      ["config.toml:3: agent.command[1]: expected a string, found an integer"],
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
        "config.toml:4: channels_config.message_timeout_secs: expected an integer, found a string",
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
