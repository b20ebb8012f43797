import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import { content } from "../../src/simulator/graph/content.ts";
import { startGraphSimulator } from "../../src/simulator/graph.ts";
import { closing } from "../net/closing.ts";
import { opusFile } from "../speech/opus.ts";
import { temporaryFolder } from "../support/store.ts";
import { cloudConfig } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startModel } from "./support/model.ts";
import {
  asked,
  deadAddress,
  type Hidden,
  hide,
  misleading,
  proxyKinds,
  trusting,
} from "./support/proxies.ts";
import { speechConfig, startSpeech, startTranscription } from "./support/speech.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(30_000);

const ada = { phone: "+15550001111", name: "Ada" };
const closed = closing();
const note = Buffer.from(opusFile(2));

/** Everything outside that a voice note in Cloud mode needs, hidden behind proxies where `hidden` names it. */
async function startOutside(hidden: ("graph" | "services")[] = ["graph", "services"]) {
  const graph = await startGraphSimulator();
  closed({ close: () => graph.stop() });
  const services = {
    model: closed(await startModel("the answer")),
    transcription: closed(await startTranscription("the question")),
    speech: closed(await startSpeech(note)),
  };
  const traps: Hidden[] = [];
  if (hidden.includes("graph")) traps.push(closed(await hide(graph)));
  if (hidden.includes("services")) {
    for (const service of Object.values(services)) traps.push(closed(await hide(service)));
  }
  const root = {
    default_provider: `custom:${services.model.url}/v1`,
    default_model: "m",
    api_key: "key-of-the-model",
    ...speechConfig(services),
  };
  return {
    graph,
    ...services,
    root,
    /** Connections that went past the proxies. */
    direct: () => traps.reduce((sum, { direct }) => sum + direct, 0),
  };
}
type Outside = Awaited<ReturnType<typeof startOutside>>;

async function startBehind(outside: Outside, changes: Parameters<typeof cloudConfig>[1]) {
  const { env } = closed(trusting());
  const config = cloudConfig(outside.graph.url, {
    agent: { kind: "model" },
    ...changes,
    root: { ...outside.root, ...changes?.root },
  });
  const daemon = await startDaemon({ config, env: { ...env, ...misleading } });
  closed({ close: () => daemon[Symbol.asyncDispose]() });
  outside.graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
  return daemon;
}

/** A voice note goes in; text and voice come out. */
async function voiceRoundTrip({ graph, transcription, model, speech }: Outside): Promise<void> {
  graph.write({ from: ada, content: content.voice(graph.file(note, "audio/ogg; codecs=opus")) });
  const sends = await graph.waitForSends({ to: ada.phone, count: 2, timeoutMs: 10_000 });
  expect(sends.map(({ type, text }) => [type, text])).toEqual([
    ["text", "the answer"],
    ["audio", null],
  ]);
  expect((await transcription.heard(0)).sound.equals(note)).toBe(true);
  expect(model.seen[0]?.body).toContain("[Voice] the question");
  expect(speech.said()).toEqual(["the answer"]);
  const [upload] = graph.records.uploads.entries;
  expect(Buffer.from(graph.media.get(upload?.mediaId ?? "")?.bytes ?? []).equals(note)).toBe(true);
}

describe("[proxy] takes everything: Graph, files both ways, model, transcription, speech", () => {
  for (const [kind, start] of Object.entries(proxyKinds)) {
    test(kind, async () => {
      const proxy = closed(await start());
      const outside = await startOutside();
      const daemon = await startBehind(outside, {
        root: { proxy: { enabled: true, all_proxy: proxy.url } },
      });
      await voiceRoundTrip(outside);
      expect(outside.direct()).toBe(0);
      const { graph, model, transcription, speech } = outside;
      for (const server of [graph, model, transcription, speech]) {
        expect(asked(proxy, server)).toBe(true);
      }
      // What its log tells of the proxy holds no credentials.
      expect(daemon.lines.join("\n")).toContain("requests take a proxy");
      expect(daemon.lines.join("\n")).not.toMatch(/user:|:pass/);
    });
  }
});

describe("which proxy is taken", () => {
  test("a channel's proxy_url wins over [proxy], and no_proxy is none of its business", async () => {
    const own = closed(await proxyKinds["socks5h"]!());
    const table = closed(await proxyKinds["http"]!());
    const outside = await startOutside(["graph"]);
    await startBehind(outside, {
      whatsapp: { proxy_url: own.url },
      root: { proxy: { enabled: true, all_proxy: table.url, no_proxy: ["127.0.0.1", "*"] } },
    });
    await voiceRoundTrip(outside);
    expect(outside.direct()).toBe(0);
    expect(asked(own, outside.graph)).toBe(true);
    expect(own.asked.every((line) => line.endsWith(`:${new URL(outside.graph.url).port}`))).toBe(
      true,
    );
    // no_proxy sends the services out directly.
    expect(table.asked).toEqual([]);
  });

  test('scope = "services" is for those named, and everything else goes directly', async () => {
    const table = closed(await proxyKinds["http"]!());
    const outside = await startOutside(["services"]);
    await startBehind(outside, {
      root: {
        proxy: {
          enabled: true,
          http_proxy: table.url,
          scope: "services",
          services: ["provider.*", "transcription.groq", "tts.*"],
        },
      },
    });
    await voiceRoundTrip(outside);
    expect(outside.direct()).toBe(0);
    expect(asked(table, outside.graph)).toBe(false);
  });

  test('scope = "environment" takes what the environment says, exceptions included', async () => {
    const table = closed(await proxyKinds["http"]!());
    const outside = await startOutside(["services"]);
    const config = cloudConfig(outside.graph.url, {
      agent: { kind: "model" },
      root: { ...outside.root, proxy: { enabled: true, scope: "environment" } },
    });
    const env = { HTTP_PROXY: table.url, NO_PROXY: "127.0.0.1" };
    const daemon = await startDaemon({ config, env });
    closed({ close: () => daemon[Symbol.asyncDispose]() });
    outside.graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
    await voiceRoundTrip(outside);
    expect(outside.direct()).toBe(0);
    expect(asked(table, outside.graph)).toBe(false);
  });

  test("with [proxy] off, the environment counts for nothing", async () => {
    const outside = await startOutside([]);
    await startBehind(outside, {});
    await voiceRoundTrip(outside);
  });
});

describe("a proxy that does not work: nothing goes out directly", () => {
  const broken: Record<string, () => Promise<string>> = {
    "nobody is there (http)": async () => `http://${await deadAddress()}`,
    "nobody is there (socks5)": async () => `socks5://${await deadAddress()}`,
    "it wants other credentials": async () => {
      const { url } = closed(await proxyKinds["https with credentials"]!());
      return url.replace("user:", "nobody:");
    },
    "it refuses": async () => closed(await proxyKinds["socks5h"]!({ refuse: 2 })).url,
  };
  for (const [name, start] of Object.entries(broken)) {
    test(name, async () => {
      const outside = await startOutside();
      const proxy = { enabled: true, all_proxy: await start() };
      const daemon = await startBehind(outside, { root: { proxy } });
      const { graph } = outside;
      graph.write({ from: ada, content: content.voice(graph.file(note, "audio/ogg")) });
      await daemon.waitForLog("an attachment was not fetched");
      await daemon.waitForLog("agent failed: cannot reach custom");
      expect(outside.direct()).toBe(0);
      expect(graph.records.requests.entries).toEqual([]);
      expect(outside.model.connections).toBe(0);
    });
  }

  test("the words and the voice are done without", async () => {
    const outside = await startOutside(["services"]);
    const proxy = { enabled: true, all_proxy: `http://${await deadAddress()}`, scope: "services" };
    const daemon = await startBehind(outside, {
      agent: { kind: "echo" },
      root: { proxy: { ...proxy, services: ["transcription.*", "tts.*"] } },
    });
    const { graph } = outside;
    graph.write({ from: ada, content: content.voice(graph.file(note, "audio/ogg")) });
    // The words are asked for three times.
    const [sent] = await graph.waitForSends({ to: ada.phone, timeoutMs: 15_000 });
    expect(sent?.type).toBe("text");
    await daemon.waitForLog("could not be transcribed");
    // So is the voice.
    await daemon.waitForLog("no voice note could be made", 15_000);
    expect(outside.direct()).toBe(0);
  });

  test("an answer waits, and its sending says that it is the proxy", async () => {
    const outside = await startOutside(["graph"]);
    const daemon = await startBehind(outside, {
      agent: { kind: "echo" },
      whatsapp: { proxy_url: `socks5://${await deadAddress()}` },
    });
    outside.graph.write({ from: ada, content: content.text("hello") });
    expect(await daemon.waitForLog("delivery delayed")).toContain("check proxy_url");
    expect((await daemon.status()).outbox).toMatchObject({ pending: 1, failed: 0 });
    await until("the second try has failed too, some two seconds later", async () => {
      return (await daemon.status()).channels[0]?.state === "disconnected";
    });
    const health = await fetch(`${daemon.url}/health`);
    expect([health.status, (await health.json()).reasons]).toEqual([
      503,
      [expect.stringContaining("sending fails (proxy_unreachable): The proxy on the way to Meta")],
    ]);
    expect(outside.direct()).toBe(0);
  });
});

test("revka doctor takes the same way", async () => {
  const alive = closed(await proxyKinds["socks5h"]!());
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const binary = process.env["REVKA_BINARY"];
  const command = binary ? [binary] : [process.execPath, main];
  for (const url of [alive.url, `http://${await deadAddress()}`]) {
    const outside = await startOutside(["graph"]);
    const folder = temporaryFolder();
    const file = join(folder.path, "config.toml");
    const changes = { agent: { kind: "echo" }, whatsapp: { proxy_url: url } };
    writeFileSync(file, stringify(cloudConfig(outside.graph.url, changes)), { mode: 0o600 });
    const doctor = Bun.spawn({
      cmd: [...command, "doctor", "--json", "--config", file],
      env: { PATH: process.env["PATH"], HOME: folder.path, ...misleading },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const out = await new Response(doctor.stdout).text();
    await doctor.exited;
    folder.remove();
    expect(outside.direct()).toBe(0);
    const said = url === alive.url ? outside.graph.account.verifiedName : "takes no connection";
    expect(out).toContain(said);
    expect(outside.graph.records.requests.entries.length > 0).toBe(url === alive.url);
    expect(asked(alive, outside.graph)).toBe(url === alive.url);
  }
});
