import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { closing } from "../net/closing.ts";
import { stop } from "../net/proxies.ts";
import { opusFile } from "../speech/opus.ts";
import { startAgent } from "./support/agent.ts";
import { startDaemon } from "./support/daemon.ts";
import {
  deadAddress,
  type Hidden,
  misleading,
  proxyKinds,
  trap,
  trusting,
} from "./support/proxies.ts";
import { speechConfig, startSpeech, startTranscription } from "./support/speech.ts";
import { prepareWeb, type WebSetup } from "./support/web.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(30_000);

const closed = closing();
const note = Buffer.from(opusFile(2));
const trustDouble = fileURLToPath(
  new URL("../doubles/whatsapp-web/trust-double.ts", import.meta.url),
);

/** Leads what comes at `host` to a port of 127.0.0.1, and counts it. */
async function gate(host: string, to: number): Promise<{ port: number; passed: () => number }> {
  let passed = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    passed++;
    const target = connect(to, "127.0.0.1");
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .on("close", () => [client, target].forEach((it) => it.destroy()));
    }
    client.pipe(target).pipe(client);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, host, () => {
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : 0);
    });
  });
  closed({ close: () => stop(server, sockets) });
  return { port, passed: () => passed };
}

/** WhatsApp where only a proxy reaches it: the socket at one wrong address, the files at another. */
async function hideWhatsApp(wa: WebSetup["wa"]) {
  const media = await gate("127.0.0.9", Number(wa.media.host.split(":")[1]));
  // The certificate of the files is good for localhost, where a trap lies under this port.
  wa.media.host = `localhost:${media.port}`;
  const traps: Hidden[] = [
    closed(await trap("127.0.0.9", wa.port)),
    closed(await trap("127.0.0.1", media.port)),
  ];
  return {
    wsUrl: `ws://127.0.0.9:${wa.port}/ws/chat`,
    hosts: { "127.0.0.9": "127.0.0.1", localhost: "127.0.0.9", "127.0.0.1": "127.0.0.9" },
    media,
    direct: () => traps.reduce((sum, each) => sum + each.direct, 0),
  };
}

/** The daemon behind this proxy; the environment would lead it past. */
async function startBehind(
  setup: WebSetup,
  config: { wsUrl: string; proxyUrl?: string; root?: Record<string, unknown>; agentUrl: string },
) {
  const { env } = closed(trusting(setup.wa.mediaCertificate ?? ""));
  const daemon = await startDaemon({
    preload: trustDouble,
    env: { ...env, ...misleading, REVKA_TEST_WA_ROOT: setup.wa.rootHex },
    config: {
      agent: { kind: "webhook", url: config.agentUrl },
      channels_config: {
        whatsapp: {
          session_path: setup.sessionPath,
          ws_url: config.wsUrl,
          allowed_numbers: ["*"],
          ...(config.proxyUrl === undefined ? {} : { proxy_url: config.proxyUrl }),
        },
      },
      ...config.root,
    },
  });
  closed({ close: () => daemon[Symbol.asyncDispose]() });
  return daemon;
}

describe("WhatsApp Web behind a proxy: socket and files both ways, and nothing past it", () => {
  for (const [kind, key] of [
    ["https with credentials", "proxy_url"],
    ["socks5h", "[proxy]"],
  ] as const) {
    test(`${kind}, by ${key}`, async () => {
      await using setup = await prepareWeb();
      const { wa, owner, ada } = setup;
      const hidden = await hideWhatsApp(wa);
      const proxy = closed(await proxyKinds[kind]!({ hosts: hidden.hosts }));
      const transcription = closed(await startTranscription("the question"));
      const speech = closed(await startSpeech(note));
      const agent = await startAgent(() => ({ body: { text: "the answer" } }));
      const daemon = await startBehind(setup, {
        wsUrl: hidden.wsUrl,
        agentUrl: agent.url,
        ...(key === "proxy_url" ? { proxyUrl: proxy.url } : {}),
        root: {
          ...speechConfig({ transcription, speech }),
          ...(key === "proxy_url" ? {} : { proxy: forChannels(proxy.url) }),
        },
      });
      await owner.scanQr(await untilLinking(daemon));
      await wa.logins.waitFor(() => true, 10_000);
      await ada.send(owner, { voice: note, seconds: 2 });
      const voice = await ada.waitForMessage((message) => message.voice, 20_000);
      expect((await ada.download(voice)).equals(note)).toBe(true);
      expect((await transcription.heard(0)).sound.equals(note)).toBe(true);
      expect(ada.inbox.all.map(({ text }) => text)).toEqual(["the answer", undefined]);
      expect(hidden.direct()).toBe(0);
      // Linked and logged in, one connection each; one file in, one out.
      const through = (port: number) => proxy.asked.filter((line) => line.endsWith(`:${port}`));
      expect(through(wa.port)).toHaveLength(2);
      expect(hidden.media.passed()).toBeGreaterThan(0);
      expect(through(hidden.media.port)).toHaveLength(hidden.media.passed());
      // The services are asked directly.
      expect(through(Number(new URL(transcription.url).port))).toEqual([]);
      agent.stop();
    });
  }

  test("a proxy that is not there: no connection to WhatsApp, and the state says why", async () => {
    await using setup = await prepareWeb();
    const hidden = await hideWhatsApp(setup.wa);
    const daemon = await startBehind(setup, {
      wsUrl: hidden.wsUrl,
      proxyUrl: `socks5://${await deadAddress()}`,
      agentUrl: "http://127.0.0.1:9/turn",
    });
    const channel = async () => (await daemon.status()).channels[0];
    await until("it is disconnected", async () => (await channel())?.state === "disconnected");
    expect((await channel())?.reason).toEqual(expect.any(String));
    expect(hidden.direct()).toBe(0);
    expect(setup.wa.opened).toBe(0);
  });
});

const forChannels = (url: string) => ({
  enabled: true,
  all_proxy: url,
  scope: "services",
  services: ["channel.*"],
});

async function untilLinking(daemon: Awaited<ReturnType<typeof startDaemon>>): Promise<string> {
  let qr: string | null = null;
  await until("there is a code to scan", async () => {
    qr = (await daemon.status()).channels[0]?.linking?.qr ?? null;
    return qr !== null;
  });
  return qr ?? "";
}
