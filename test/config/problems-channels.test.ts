import { afterAll, describe, expect, test } from "bun:test";
import {
  cloud,
  complaints,
  echo,
  notLoopback,
  notAProxy,
  removeFolder,
  wati,
  web,
} from "./support.ts";

afterAll(removeFolder);

describe("channels: a broken file says what is wrong, and where", () => {
  test.each<[name: string, toml: string, lines: string[]]>([
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
      "a phone number id that leads elsewhere at its end",
      `${cloud.replace('"1"', '"1/../me"')}`,
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
      [`config.toml:7: channels_config.whatsapp.proxy_url: ${notAProxy}`],
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
      "a pair code too long",
      `${web}pair_phone = "15551234567"\npair_code = "ABCDE1234"\n`,
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
      "tokens of which nothing but their scheme was pasted",
      `${echo}[channels_config.whatsapp]\nphone_number_id = "1"\naccess_token = "Bearer "\nverify_token = "Bearer"\n[channels_config.wati]\napi_token = "Bearer"\n`,
      [
        "config.toml:5: channels_config.whatsapp.access_token: holds no token, but the word before it alone; copy it anew",
        "config.toml:8: channels_config.wati.api_token: holds no token, but the word before it alone; copy it anew",
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
  ])("%s", (_name, toml, lines) => {
    expect(complaints(toml)).toEqual(lines);
  });
});
