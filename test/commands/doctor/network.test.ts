import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dnsVerdicts, networkProbes } from "../../../src/commands/doctor/network-probes.ts";
import { examine, type Examination } from "../../../src/commands/doctor/probe.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createNetwork } from "../../../src/net/fetch.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { startHttpProxy, startSocksProxy } from "../../net/proxies.ts";
import { fakeClock } from "../../support/clock.ts";
import { temporaryHome } from "../../support/command.ts";

const undo: (() => unknown)[] = [];
let home: string;
beforeEach(() => {
  home = temporaryHome(undo);
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A service that answers so to whatever is asked. */
function service(status = 404): string {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(null, { status }),
  });
  undo.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

function examination(text: string): Examination {
  const path = join(home, "config.toml");
  writeFileSync(path, text, { mode: 0o600 });
  const loaded = loadConfig({ path, env: {}, home });
  const network = createNetwork({ config: loaded.config, env: {}, log: silentLog });
  undo.push(() => network.close());
  return { loaded, env: {}, network, status: null, clock: fakeClock() };
}

async function proxyFindings(text: string) {
  const found = await examine(networkProbes, examination(text), 5_000);
  return found
    .filter(({ group }) => group === "proxy")
    .map(({ level, message }) => [level, message.replace(/:\d{4,5}/g, ":PORT")]);
}

const services = (target: string, proxy: string) => `
[agent]
kind = "webhook"
url = "${target}/turn"
[channels_config.whatsapp]
access_token = "aaaa"
phone_number_id = "1"
verify_token = "bbbb"
api_base_url = "${target}"
[transcription]
enabled = true
default_provider = "local_whisper"
local_whisper = { url = "${target}/asr" }
[tts]
enabled = true
default_provider = "piper"
piper = { api_url = "${target}/speech" }
[proxy]
enabled = true
all_proxy = "${proxy}"
`;

test("channel, agent and speech are each shown to come through their proxy", async () => {
  const proxy = await startHttpProxy({ credentials: "ada:pw123456" });
  undo.push(() => proxy.close());
  const address = proxy.url.includes("@")
    ? proxy.url
    : proxy.url.replace("://", "://ada:pw123456@");
  const found = await proxyFindings(services(service(), address));
  expect(found).toEqual(
    ["channel.whatsapp", "agent.webhook", "transcription.local_whisper", "tts.piper"].map(
      (name) => [
        "ok",
        `${name} gets an answer (404) for 127.0.0.1:PORT through http://127.0.0.1:PORT`,
      ],
    ),
  );
  expect(proxy.asked.length).toBeGreaterThanOrEqual(4);
});

test.each([302, 403, 500, 502, 511])(
  "%i in plain http may be the proxy's own answer, and through SOCKS is the service's",
  async (status) => {
    const http = await startHttpProxy({});
    undo.push(() => http.close());
    for (const [level, message] of await proxyFindings(services(service(status), http.url))) {
      expect(level).toBe("warning");
      expect(message).toContain(`gets ${status} for 127.0.0.1:PORT through http://127.0.0.1:PORT`);
      expect(message).not.toContain("reaches");
    }
    const socks = await startSocksProxy({});
    undo.push(() => socks.close());
    const found = await proxyFindings(services(service(status), socks.url));
    expect(found.map(([level, message]) => [level, String(message).split(" ")[1]])).toEqual(
      found.map(() => ["ok", "reaches"]),
    );
  },
);

test("a proxy that leads nowhere is named, without its password", async () => {
  const proxy = await startSocksProxy({ refuse: 2 });
  undo.push(() => proxy.close());
  const found = await proxyFindings(services(service(), proxy.url));
  expect(found).toHaveLength(4);
  for (const [level, message] of found) {
    expect(level).toBe("error");
    expect(message).toContain("takes connections, but does not lead");
  }
});

test("a proxy whose certificate is not trusted is not sent for in its log", async () => {
  const proxy = await startHttpProxy({ tls: true });
  undo.push(() => proxy.close());
  const found = await examine(networkProbes, examination(services(service(), proxy.url)), 5_000);
  const advice = found.filter(({ group }) => group === "proxy").map(({ next }) => next);
  expect(advice).toEqual(Array(4).fill(expect.stringContaining("NODE_EXTRA_CA_CERTS")));
});

const direct = (proxy: string) => `
[agent]
kind = "echo"
[channels_config.whatsapp]
access_token = "aaaa"
phone_number_id = "1"
verify_token = "bbbb"
api_base_url = "https://graph.example"
${proxy}`;

test.each([
  ["", ["graph.example"]],
  ['proxy_url = "http://proxy.example:3128"', ["proxy.example"]],
  ['proxy_url = "socks5h://proxy.example:1080"', ["proxy.example"]],
  ['proxy_url = "socks5://proxy.example:1080"', ["proxy.example", "graph.example"]],
  ['proxy_url = "http://127.0.0.1:3128"', []],
])("names are resolved where the request does it: %p", async (proxy, expected) => {
  const asked: string[] = [];
  await dnsVerdicts(examination(direct(proxy)), async (host) => void asked.push(host));
  expect(asked).toEqual(expected);
});

test("a name without an address is an error that names it", async () => {
  const refuse = () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" }));
  expect(await dnsVerdicts(examination(direct("")), refuse)).toMatchObject([
    { level: "error", message: "graph.example has no address (ENOTFOUND)" },
  ]);
});
