import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dnsVerdicts, ways } from "../../../src/commands/doctor/network-probes.ts";
import type { Examination } from "../../../src/commands/doctor/probe.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { fakeClock } from "../../support/clock.ts";
import { temporaryHome } from "../../support/command.ts";

const undo: (() => unknown)[] = [];
let home: string;
beforeEach(() => {
  home = temporaryHome(undo);
});
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function examination(text: string, proxyUrlFor: () => string | null = () => null): Examination {
  const path = join(home, "config.toml");
  writeFileSync(path, text, { mode: 0o600 });
  const network = {
    fetchFor: () => async () => new Response(),
    proxyUrlFor,
    close: async () => {},
  };
  const loaded = loadConfig({ path, env: {}, home });
  return { loaded, env: {}, network, status: null, clock: fakeClock() };
}

const echo = '[agent]\nkind = "echo"\n';
const whatsapp = (lines: string) => `${echo}[channels_config.whatsapp]\n${lines}\n`;
const cloud = 'phone_number_id = "1"\naccess_token = "aaaa"\nverify_token = "vvvv"';

describe("which services a config uses", () => {
  test.each<[string, string, [service: string, target: string][]]>([
    ["none", echo, []],
    ["Cloud", whatsapp(cloud), [["channel.whatsapp", "https://graph.facebook.com"]]],
    [
      "Web",
      whatsapp('session_path = "/nowhere/s.db"'),
      [["channel.whatsapp", "https://web.whatsapp.com"]],
    ],
    [
      "Web elsewhere",
      whatsapp('session_path = "/nowhere/s.db"\nws_url = "wss://web.example/ws"'),
      [["channel.whatsapp", "https://web.example/ws"]],
    ],
    ["a channel that is skipped", whatsapp("allowed_numbers = []"), []],
    [
      "WATI",
      `${echo}[channels_config.wati]\napi_token = "tttt"\n`,
      [["channel.wati", "https://live-mt-server.wati.io"]],
    ],
    [
      "an agent of one's own",
      '[agent]\nkind = "webhook"\nurl = "https://a.example/turn"\n',
      [["agent.webhook", "https://a.example/turn"]],
    ],
    [
      "a model",
      'default_provider = "groq"\ndefault_model = "m"\napi_key = "kkkk"\n',
      [["provider.groq", "https://api.groq.com/openai/v1"]],
    ],
    [
      "a model by its kind",
      'default_provider = "openai"\ndefault_model = "m"\napi_key = "kkkk"\n[agent]\nkind = "model"\n',
      [["provider.openai", "https://api.openai.com/v1"]],
    ],
    [
      "a model that another agent stands before",
      `default_provider = "groq"\ndefault_model = "m"\napi_key = "kkkk"\n${echo}`,
      [],
    ],
    ["speech that is off", `${echo}[transcription]\nenabled = false\n[tts]\nenabled = false\n`, []],
    ["a program that speaks", `${echo}[tts]\nenabled = true\ndefault_provider = "edge"\n`, []],
  ])("%s", (_, text, expected) => {
    expect(ways(examination(text))).toEqual(
      expected.map(([service, target]) => ({ service, target, proxy: null })),
    );
  });
});

describe("a name", () => {
  const names = (find: () => Promise<unknown>, proxy: string | null = null) =>
    dnsVerdicts(
      examination(whatsapp(cloud), () => proxy),
      find,
    );

  test("that has an address, and one that has none", async () => {
    expect(await names(async () => "192.0.2.1")).toMatchObject([
      { level: "ok", message: "graph.facebook.com has an address" },
    ]);
    const missing = Object.assign(new Error("no"), { code: "ENOTFOUND" });
    expect(await names(() => Promise.reject(missing))).toMatchObject([
      { level: "error", message: "graph.facebook.com has no address (ENOTFOUND)" },
    ]);
  });

  test("that nobody answers for in time", async () => {
    const timer = spyOn(globalThis, "setTimeout").mockImplementation(((late: () => void) => {
      queueMicrotask(late);
      return 0;
    }) as typeof setTimeout);
    undo.push(() => timer.mockRestore());
    expect(await names(() => new Promise(() => {}))).toMatchObject([
      { level: "error", message: "graph.facebook.com was not resolved within 5 s" },
    ]);
  });

  test("that is found leaves no timer behind", async () => {
    const cleared = spyOn(globalThis, "clearTimeout");
    undo.push(() => cleared.mockRestore());
    await names(async () => "192.0.2.1");
    expect(cleared).toHaveBeenCalledTimes(1);
  });
});
