import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { selects } from "../../src/config/services.ts";
import { parseProxy, proxyFor, proxyOptions, UnusableProxy } from "../../src/net/proxy.ts";

type Env = Record<string, string>;

function decide(service: string, url: string, config: object, env: Env = {}): string | null {
  const options = proxyOptions(v.parse(configSchema, config), env);
  return proxyFor(service, new URL(url), options)?.url.href ?? null;
}

const own = "http://own:1/";
const plain = "http://plain:2/";
const secure = "http://secure:3/";
const all = "socks5h://all:4";
const channels = { channels_config: { whatsapp: { proxy_url: own }, wati: {} } };
const global = (more: object = {}) => ({ proxy: { enabled: true, all_proxy: all, ...more } });
const environment = global({ scope: "environment", all_proxy: undefined });

const table: [
  name: string,
  service: string,
  url: string,
  config: object,
  env: Env,
  string | null,
][] = [
  ["nothing configured", "channel.whatsapp", "https://a.test", {}, {}, null],
  [
    "off: the environment does not count",
    "provider.openai",
    "https://a.test",
    {},
    { HTTPS_PROXY: plain },
    null,
  ],
  [
    "off although it names one",
    "provider.openai",
    "https://a.test",
    { proxy: { all_proxy: all } },
    {},
    null,
  ],
  ["a channel's own", "channel.whatsapp", "https://a.test", channels, {}, own],
  [
    "a channel's own, of a part of it",
    "channel.whatsapp.media",
    "https://a.test",
    channels,
    {},
    own,
  ],
  [
    "each channel's own where both have one",
    "channel.wati",
    "https://a.test",
    { channels_config: { whatsapp: { proxy_url: own }, wati: { proxy_url: plain } } },
    {},
    plain,
  ],
  [
    "WATI's own is no provider's",
    "provider.openai",
    "https://a.test",
    { channels_config: { whatsapp: {}, wati: { proxy_url: own } } },
    {},
    null,
  ],
  [
    "a service that only begins like a channel has no proxy of its own",
    "channel.whatsapps",
    "https://a.test",
    channels,
    {},
    null,
  ],
  [
    "none of the channel's, so that of all",
    "channel.wati",
    "https://a.test",
    { ...channels, ...global() },
    {},
    all,
  ],
  ["a channel's own is not another's", "channel.wati", "https://a.test", channels, {}, null],
  ["a channel's own is no provider's", "provider.openai", "https://a.test", channels, {}, null],
  ["a channel's own over loopback", "channel.whatsapp", "http://127.0.0.1", channels, {}, own],
  [
    "a channel's own over every list",
    "channel.whatsapp",
    "https://a.test",
    { ...channels, ...global({ no_proxy: ["*"] }) },
    { NO_PROXY: "*" },
    own,
  ],
  [
    "a blank proxy_url is none",
    "channel.wati",
    "https://a.test",
    { channels_config: { wati: { proxy_url: " " } } },
    {},
    null,
  ],
  ["[proxy] is for everything", "provider.openai", "https://a.test", global(), {}, all],
  ["[proxy] is for channels too", "channel.wati", "https://a.test", global(), {}, all],
  ["[proxy] takes loopback too", "provider.ollama", "http://localhost:11434", global(), {}, all],
  ["no_proxy", "provider.openai", "https://a.test", global({ no_proxy: ["a.test"] }), {}, null],
  [
    "NO_PROXY counts only where the environment does",
    "provider.openai",
    "https://a.test",
    global(),
    { NO_PROXY: "*" },
    all,
  ],
  [
    "https over all",
    "provider.openai",
    "https://a.test",
    global({ https_proxy: secure, http_proxy: plain }),
    {},
    secure,
  ],
  [
    "http over all",
    "provider.openai",
    "http://a.test",
    global({ https_proxy: secure, http_proxy: plain }),
    {},
    plain,
  ],
  ["wss is https", "channel.whatsapp", "wss://a.test", global({ https_proxy: secure }), {}, secure],
  [
    "all for the rest",
    "provider.openai",
    "http://a.test",
    global({ https_proxy: secure }),
    {},
    all,
  ],
  [
    "only https named",
    "provider.openai",
    "http://a.test",
    global({ https_proxy: secure, all_proxy: undefined }),
    {},
    null,
  ],
  [
    "only http named",
    "provider.openai",
    "https://a.test",
    global({ http_proxy: plain, all_proxy: undefined }),
    {},
    null,
  ],
  [
    "services: selected",
    "channel.wati",
    "https://a.test",
    global({ scope: "services", services: ["channel.*"] }),
    {},
    all,
  ],
  [
    "services: not selected",
    "tts.openai",
    "https://a.test",
    global({ scope: "services", services: ["channel.*"] }),
    {},
    null,
  ],
  [
    "services: none named",
    "channel.wati",
    "https://a.test",
    global({ scope: "services" }),
    {},
    null,
  ],
  ["environment", "channel.wati", "https://a.test", environment, { HTTPS_PROXY: secure }, secure],
  ["environment, http", "channel.wati", "http://a.test", environment, { HTTP_PROXY: plain }, plain],
  [
    "environment, lower case wins",
    "channel.wati",
    "https://a.test",
    environment,
    { HTTPS_PROXY: secure, https_proxy: plain },
    plain,
  ],
  [
    "environment, all",
    "channel.wati",
    "http://a.test",
    environment,
    { ALL_PROXY: all, HTTPS_PROXY: secure },
    all,
  ],
  [
    "environment, empty is unset",
    "channel.wati",
    "https://a.test",
    environment,
    { HTTPS_PROXY: "" },
    null,
  ],
  ["environment, none set", "channel.wati", "https://a.test", environment, {}, null],
  [
    "environment, excepted",
    "channel.wati",
    "https://a.test",
    environment,
    { HTTPS_PROXY: secure, no_proxy: "b.test, .test" },
    null,
  ],
  [
    "environment, the table's own first",
    "channel.wati",
    "https://a.test",
    global({ scope: "environment" }),
    { HTTPS_PROXY: secure },
    all,
  ],
];

describe("which proxy", () => {
  for (const [name, service, url, config, env, expected] of table) {
    test(name, () => expect(decide(service, url, config, env)).toBe(expected));
  }

  test("enabled without an address fails instead of going out directly", () => {
    expect(() => decide("channel.wati", "https://a.test", { proxy: { enabled: true } })).toThrow(
      UnusableProxy,
    );
  });
});

test("proxy addresses", () => {
  const cases: [string, number | null, "here" | "proxy" | null, string | null][] = [
    ["http://u:p@h", 80, "proxy", "http://h:80"],
    ["HTTPS://h", 443, "proxy", "https://h:443"],
    ["socks5://h", 1080, "here", "socks5://h:1080"],
    ["socks5h://u:p@h:9", 9, "proxy", "socks5h://h:9"],
    ["socks://[::1]:9050", 9050, "here", "socks://[::1]:9050"],
    ["127.0.0.1:3128", 3128, "proxy", "http://127.0.0.1:3128"],
    ["socks4://h", null, null, null],
    ["ftp://h", null, null, null],
    ["http://", null, null, null],
    ["http://h:99999", null, null, null],
  ];
  for (const [address, port, resolves, label] of cases) {
    if (port === null) expect(() => parseProxy(address)).toThrow(UnusableProxy);
    else expect(parseProxy(address)).toMatchObject({ port, resolves, label } as object);
  }
});

test("an error about a proxy does not repeat its credentials", () => {
  for (const address of ["socks4://user:hunter2@h", "http://user:hunter2@"]) {
    let message = "";
    try {
      parseProxy(address);
    } catch (error) {
      message = String(error);
    }
    expect(message).not.toBe("");
    expect(message).not.toContain("hunter2");
  }
});

test("selectors", () => {
  const cases: [string, string, boolean][] = [
    ["channel.whatsapp", "channel.whatsapp", true],
    ["Channel.WhatsApp", "channel.whatsapp", true],
    ["channel.whatsapp", "channel.wati", false],
    ["channel.*", "channel.wati", true],
    ["channel.*", "channels.wati", false],
    ["*", "tts.piper", true],
    ["*.openai", "tts.openai", true],
    ["*.openai", "openai", false],
    ["t*s.p*r", "tts.piper", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["c*.w*t*i", "channel.wati", true],
    ["c*t*a*i", "channel.wati", false],
    ["c*wati*i", "channel.wati", false],
    ["c*ti*ti", "channel.wati", false],
    ["c*w*at*i", "channel.wati", true],
    ["*channel*wati*", "channel.wati", true],
    ["**", "channel.wati", true],
    ["*a*a*a*", "a.a", false],
    ["", "channel.wati", false],
  ];
  for (const [selector, service, expected] of cases) {
    expect([selector, service, selects(selector, service)]).toEqual([selector, service, expected]);
  }
});
