import { afterAll, describe, expect, test } from "bun:test";
import { cloud, complaints, echo, load, removeFolder, wati, warnings, web } from "./support.ts";

afterAll(removeFolder);

const model = (provider: string, more = "") =>
  `default_provider = "${provider}"\ndefault_model = "m"\n${more}`;
const webhook = '[agent]\nkind = "webhook"\n';
const proxied = (more: string) => `${echo}[proxy]\n${more}\n`;
const speech = (more: string) => `${echo}[transcription]\n${more}\n`;
const key = 'api_key = "kkkk"\n';

describe("what is right is not complained of", () => {
  test.each<[name: string, toml: string]>([
    ["every provider known by name", model("openrouter", key)],
    ["OpenAI", model("openai")],
    ["Anthropic", model("anthropic")],
    ["Groq", model("groq")],
    ["Ollama on this machine", model("ollama")],
    ["Ollama on another, without a key", model("ollama", 'api_url = "http://10.0.0.5:11434"\n')],
    ["a provider of one's own, without a key", model("custom:http://10.0.0.5/v1")],
    ["one on this machine, with a key", model("custom:http://127.0.0.1:8000/v1", key)],
    ["one of one's own, encrypted, with a key", model("custom:https://llm.example/v1", key)],
    ["a model's address, encrypted", model("openai", 'api_url = "https://llm.example"\n')],
    ["a webhook on another machine, without a token", `${webhook}url = "http://10.0.0.5/"\n`],
    [
      "a webhook on this machine, with a token",
      `${webhook}url = "http://localhost:1/"\nbearer_token = "bbbb"\n`,
    ],
    [
      "a webhook, encrypted, with a token",
      `${webhook}url = "https://agent.example/"\nbearer_token = "bbbb"\n`,
    ],
    ["a command", '[agent]\nkind = "command"\ncommand = ["agent"]\n'],
    [
      "a public listener that is asked for",
      `${echo}[gateway]\nhost = "::"\nallow_public_bind = true\n`,
    ],
    ["a listener by name", `${echo}[gateway]\nhost = "localhost"\n`],
    ["a public address", `${echo}[gateway]\npublic_url = "https://bot.example"\n`],
    [
      "TLS with its files",
      `${echo}[gateway.tls]\nenabled = true\ncert_path = "/c"\nkey_path = "/k"\n`,
    ],
    ["TLS switched off", `${echo}[gateway.tls]\nenabled = false\n`],
    ["a proxy switched off", proxied("enabled = false")],
    ["a proxy for http", proxied('enabled = true\nhttp_proxy = "http://p:1"')],
    ["a proxy for https", proxied('enabled = true\nhttps_proxy = "https://p"')],
    ["a proxy for all", proxied('enabled = true\nall_proxy = "socks5://u:p@h:1"')],
    ["the proxies of the environment", proxied('enabled = true\nscope = "environment"')],
    [
      "a proxy for some services",
      proxied(
        'enabled = true\nscope = "services"\nservices = ["channel.*"]\nall_proxy = "socks5h://h"',
      ),
    ],
    ["a channel's own proxy", `${cloud}proxy_url = "socks5h://127.0.0.1:9050"\n`],
    ["recordings, encrypted", speech('enabled = true\napi_url = "https://stt.example"')],
    [
      "a Whisper server on another machine, without a token",
      speech(
        'enabled = true\ndefault_provider = "local_whisper"\n[transcription.local_whisper]\nurl = "http://10.0.0.5"',
      ),
    ],
    [
      "a Whisper server on this machine, with a token",
      speech('[transcription.local_whisper]\nurl = "http://127.0.0.1:1"\nbearer_token = "bbbb"'),
    ],
    ["a Whisper server that nothing uses yet", speech('default_provider = "local_whisper"')],
    ["a pair code in two halves", `${web}pair_phone = "15551234567"\npair_code = "ABCD-1234"\n`],
    ["policies of the personal mode", `${web}mode = "personal"\ndm_policy = "all"\n`],
    ["WATI", wati],
    ["typing without read receipts, on Web", `${web}[channels_config]\nread_receipts = false\n`],
    [
      "neither typing nor read receipts",
      `${cloud}[channels_config]\nread_receipts = false\ntyping = false\n`,
    ],
  ])("%s", (_, toml) => {
    expect(complaints(toml)).toEqual([]);
    expect(warnings(toml)).toEqual([]);
  });
});

const notLoopback = "expected https://, because http:// is allowed to a loopback address only";

describe("a key or a token travels encrypted, or stays on this machine", () => {
  test.each<[name: string, toml: string, line: string]>([
    [
      "to Ollama, with a key",
      model("ollama", `${key}api_url = "http://10.0.0.5"\n`),
      `config.toml:4: api_url: ${notLoopback}`,
    ],
    [
      "to a Whisper server",
      speech('[transcription.local_whisper]\nurl = "http://10.0.0.5"\nbearer_token = "bbbb"'),
      `config.toml:5: transcription.local_whisper.url: expected https://, because bearer_token is set, and http:// is then allowed to a loopback address only`,
    ],
  ])("%s", (_, toml, line) => {
    expect(complaints(toml)).toEqual([line]);
  });
});

describe("what is sent along in a header must fit in one", () => {
  const transcribing = (name: string, lines: string) =>
    `${echo}[transcription]\nenabled = true\ndefault_provider = "${name}"\n${lines}`;
  const whisper = transcribing(
    "local_whisper",
    '[transcription.local_whisper]\nurl = "http://127.0.0.1:1"\n',
  );
  test.each<[key: string, toml: string]>([
    ["channels_config.wati.api_token", `${echo}[channels_config.wati]\napi_token =`],
    [
      "channels_config.whatsapp.access_token",
      cloud.replace('access_token = "tttt"\n', "") + "access_token =",
    ],
    ["agent.bearer_token", `${webhook}url = "http://localhost:1/"\nbearer_token =`],
    ["api_key", `${model("openai")}api_key =`],
    ["transcription.api_key", transcribing("groq", "api_key =")],
    ...["openai", "deepgram", "assemblyai", "google"].map((name): [string, string] => [
      `transcription.${name}.api_key`,
      transcribing(name, `[transcription.${name}]\napi_key =`),
    ]),
    ["transcription.local_whisper.bearer_token", `${whisper}bearer_token =`],
    ...["openai", "elevenlabs", "google"].map((name): [string, string] => [
      `tts.${name}.api_key`,
      `${echo}[tts]\nenabled = true\ndefault_provider = "${name}"\n[tts.${name}]\napi_key =`,
    ]),
  ])("%s", (key, toml) => {
    const given = toml.trimEnd();
    for (const unfit of ["EAAB…", "EAAB\\nCDEF", "EAAB\\u200bCDEF"]) {
      const [line = "", ...more] = complaints(`${given} "${unfit}"\n`);
      expect(line).toContain(`: ${key}: holds a character that no header of a request can carry`);
      expect(line).not.toContain("EAAB");
      expect(more).toEqual([]);
    }
    expect(complaints(`${given} "Bearer EAAB==\\n"\n`)).toEqual([]);
    const [warning = "", ...further] = warnings(`${given} "Bearer EAAB CDEF"\n`);
    expect(warning).toContain(`: ${key}: has a blank in it; copy it anew`);
    expect(warning).not.toContain("EAAB");
    expect(further).toEqual([]);
    expect(warnings(`${given} " Bearer  EAAB=="\n`)).toEqual([]);
  });

  test.each([
    `api_key = "sk-…"\n${echo}`,
    `${echo}[channels_config.whatsapp]\naccess_token = "EAAB…"\nsession_path = "/nowhere/s.db"\n`,
    `${echo}bearer_token = "b…"\n`,
    speech('api_key = "k…"'),
    transcribing("openai", '[transcription.openai]\napi_key = "k…"\n').replace("= true", "= false"),
    transcribing("groq", '[transcription.openai]\napi_key = "k…"\n'),
    `${echo}[tts.openai]\napi_key = "k…"\n`,
    `${echo}[tts]\nenabled = true\ndefault_provider = "piper"\n[tts.openai]\napi_key = "k…"\n`,
  ])("what nobody uses stops nothing: %s", (toml) => {
    expect(complaints(toml)).toEqual([]);
  });

  test("what is only compared may hold anything", () => {
    expect(complaints(`${wati}webhook_secret = "süß…"\n`)).toEqual([]);
    expect(complaints(`${cloud}app_secret = "süß…"\n`)).toEqual([]);
  });
});

describe("an address that is asked is one of the web", () => {
  test.each<[key: string, toml: string, url: string]>([
    [
      "transcription.local_whisper.url",
      'transcription]\nenabled = true\ndefault_provider = "local_whisper"\n[transcription.local_whisper]\nurl',
      "localhost:9000/transcribe",
    ],
    [
      "tts.piper.api_url",
      'tts]\nenabled = true\ndefault_provider = "piper"\n[tts.piper]\napi_url',
      "ftp://127.0.0.1/speech",
    ],
    [
      "tunnel.custom.health_url",
      'tunnel]\nprovider = "custom"\n[tunnel.custom]\nstart_command = "ssh"\nhealth_url',
      "localhost:42617/health",
    ],
    [
      "tunnel.custom.health_url",
      'tunnel]\nprovider = "custom"\n[tunnel.custom]\nstart_command = "ssh"\nhealth_url',
      "bot.example/health",
    ],
  ])("%s", (key, toml, url) => {
    expect(complaints(`[agent]\nkind = "echo"\n[${toml} = "${url}"\n`)).toEqual([
      `config.toml:7: ${key}: expected an http or https address`,
    ]);
  });

  test("one that nothing asks is left alone", () => {
    const unused = '[transcription.local_whisper]\nurl = "later"\n[tts.piper]\napi_url = ""\n';
    const tunnel = '[tunnel]\nprovider = "none"\n[tunnel.custom]\nhealth_url = "later"\n';
    expect(complaints(`[agent]\nkind = "echo"\n${unused}${tunnel}`)).toEqual([]);
  });
});

test.each([
  'custom"\n[tunnel.custom]\nstart_command = "t"\nhealth_url = "http://127.0.0.1:1/"\n',
  'openvpn"\n[tunnel.openvpn]\nconfig_file = "/c"\n',
])("a tunnel that has what it needs: %p", (lines) => {
  expect(complaints(`${echo}[tunnel]\nprovider = "${lines}`)).toEqual([]);
});

test("Ollama's address is one of the web", () => {
  expect(complaints(model("ollama", 'api_url = "ftp://10.0.0.5"\n'))).toHaveLength(1);
});

test("only what follows is said of a key that is wrong itself", () => {
  expect(complaints("[agent]\nkind = 5\ncommand = []\n")).toEqual([
    'config.toml:2: agent.kind: expected "model", "webhook", "command" or "echo", found an integer',
    "config.toml:3: agent.command: expected at least one item",
  ]);
  expect(complaints(proxied("enabled = true\nall_proxy = 5"))).toEqual([
    "config.toml:5: proxy.all_proxy: expected a string, found an integer",
  ]);
  expect(complaints(proxied("enabled = true\nscope = 5"))).toEqual([
    'config.toml:5: proxy.scope: expected "environment", "revka" or "services", found an integer',
  ]);
});

test("a provider that is like none has no neighbour", () => {
  expect(complaints(model("mistral-large"))[0]).toEndWith(", found another string");
});

test("WATI's proxy and list are looked at as WhatsApp's are", () => {
  expect(complaints(`${wati}proxy_url = "ftp://p"\n`)).toEqual([
    "config.toml:5: channels_config.wati.proxy_url: expected the address of a proxy that begins with http://, https://, socks5:// or socks5h://",
  ]);
  expect(warnings(`${wati}allowed_numbers = ["Ada", "*"]\n`)).toEqual([
    'config.toml:5: channels_config.wati.allowed_numbers[0]: expected a number in international form, a BSUID or "*"; the entry is ignored',
  ]);
});

test("a BSUID in the list of WhatsApp Web, which knows none, is warned of", () => {
  const list = 'allowed_numbers = ["US.1", "US.ENT.1"]\n';
  expect(warnings(`${web}${list}`)).toEqual([
    'config.toml:5: channels_config.whatsapp.allowed_numbers[0]: expected a number in international form or "*"; the entry is ignored',
    'config.toml:5: channels_config.whatsapp.allowed_numbers[1]: expected a number in international form or "*"; the entry is ignored',
  ]);
  expect(warnings(`${cloud}${list}`)).toEqual([]);
  expect(warnings(`${web}allowed_numbers = ["+15551234567", "*"]\n`)).toEqual([]);
});

test("one of the two files of TLS alone is not enough", () => {
  expect(complaints(`${echo}[gateway.tls]\nenabled = true\ncert_path = "/c"\n`)).toEqual([
    "config.toml:3: gateway.tls.key_path: missing; [gateway.tls] enabled = true needs it",
  ]);
});

test("letters that WhatsApp takes in no code are warned of, in small ones too", () => {
  for (const code of ["ABCD123O", "abcd123o", "0BCD1234", "IBCD1234", "UBCD1234"]) {
    const toml = `${web}pair_phone = "15551234567"\npair_code = "${code}"\n`;
    expect(warnings(toml)).toEqual([
      "config.toml:6: channels_config.whatsapp.pair_code: WhatsApp takes no 0, I, O and U in a code; one is made instead",
    ]);
  }
});

test("typing that the Cloud API does not show is warned of", () => {
  expect(warnings(`${cloud}[channels_config]\nread_receipts = false\n`)).toEqual([
    expect.stringMatching(
      /^config.toml:\d+: channels_config.read_receipts: false, so the Cloud API shows no typing either; set typing = false/,
    ),
  ]);
});

describe("notification_target", () => {
  const channels = { cloud, web, wati };
  const people: [string, (keyof typeof channels)[]][] = [
    ["+15550001111", ["cloud", "web", "wati"]],
    ["1 (555) 000-1111", ["cloud", "web", "wati"]],
    ["US.13491208655302741918", ["cloud", "wati"]],
    ["group:abc", ["cloud", "web"]],
    ["120363001@g.us", ["web"]],
    ["group:120363001@g.us", ["web"]],
    ["12345678901234@lid", ["web"]],
    ["self", ["web"]],
    ["hello", []],
    ["ada@example.com", []],
  ];
  const cases = people.flatMap(([target, reached]) =>
    (["cloud", "web", "wati"] as const).map(
      (channel) => [target, channel, reached.includes(channel)] as const,
    ),
  );
  test.each(cases)("%s on %s reaches somebody: %p", (target, channel, reaches) => {
    const toml = `${channels[channel]}notification_target = "${target}"\n`;
    expect(complaints(toml)).toEqual([]);
    const told = warnings(toml);
    expect(told).toHaveLength(reaches ? 0 : 1);
    if (reaches) return;
    const table = channel === "wati" ? "wati" : "whatsapp";
    expect(told[0]).toContain(`: channels_config.${table}.notification_target: names nobody whom`);
    expect(told[0]).toContain("a number in international form");
    expect(told[0]?.includes("BSUID")).toBe(channel !== "web");
    expect(told[0]?.includes("group:ID")).toBe(channel === "cloud");
  });

  test("of a channel that is skipped anyway is left alone", () => {
    const toml = `${echo}[channels_config.whatsapp]\nnotification_target = "hello"\n`;
    expect(warnings(toml)).toEqual([]);
  });
});

test("an agent beside the model's keys is who answers", () => {
  const { config } = load(`${model("nobody")}${echo}`);
  expect(config.agent?.kind).toBe("echo");
});
