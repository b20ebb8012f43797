import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { Channel } from "../../../src/channels/channel.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { createNetwork, type Network } from "../../../src/net/fetch.ts";
import { createWatiSimulator, type WatiSimulator } from "../../../src/simulator/wati.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { type CountingProxy, startHttpProxy, startSocksProxy } from "../../net/proxies.ts";
import { delivery, never, text, wati } from "./support.ts";

/** A name that only the proxy knows: whoever does not ask it finds nothing. */
const host = "wati.invalid";

let simulator: WatiSimulator;
let network: Network | null = null;
let folder = "";
beforeEach(async () => {
  simulator = createWatiSimulator();
  await simulator.start();
  folder = await mkdtemp(join(tmpdir(), "revka-wati-proxy-"));
});
afterEach(async () => {
  await network?.close();
  await simulator.close();
  await rm(folder, { recursive: true });
});

function through(proxyUrl: string): Channel {
  network = createNetwork({
    config: v.parse(configSchema, { channels_config: { wati: { proxy_url: proxyUrl } } }),
    env: { NO_PROXY: "*" },
    log: silentLog,
  });
  return wati(
    { api_url: simulator.url.replace("127.0.0.1", host) },
    { fetch: network.fetchFor("channel.wati") },
  );
}

const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, ...new Array<number>(64).fill(1)]);

const kinds: Record<string, () => Promise<CountingProxy>> = {
  http: () => startHttpProxy({ credentials: "u:p", hosts: { [host]: "127.0.0.1" } }),
  socks5h: () => startSocksProxy({ credentials: "u:p", hosts: { [host]: "127.0.0.1" } }, "socks5h"),
};

for (const [kind, start] of Object.entries(kinds)) {
  describe(`through a ${kind} proxy`, () => {
    test("text, files and the probe go, and nothing goes past it", async () => {
      const proxy = await start();
      try {
        const channel = through(proxy.url);
        const path = join(folder, "report.pdf");
        await writeFile(path, Buffer.alloc(300_000, "%PDF"));
        const file = {
          kind: "media",
          media: "document",
          path,
          mimeType: "application/pdf",
          filename: null,
          caption: null,
          durationSecs: null,
        } as const;
        expect(await channel.probe(never)).toBeNull();
        expect(await channel.send(delivery(text("hi")), never)).toMatchObject({ ok: true });
        expect(await channel.send(delivery(file), never)).toMatchObject({ ok: true });
        expect(simulator.received.map((it) => it.text ?? "")).toEqual(["hi", "report.pdf"]);
        expect(simulator.received[1]?.file?.bytes).toHaveLength(300_000);
        expect(proxy.asked.every((it) => it.includes(host))).toBe(true);
        expect(proxy.asked.length).toBeGreaterThan(0);
      } finally {
        await proxy.close();
      }
    });

    test("a dead proxy stops sending, and says that nothing was sent", async () => {
      const proxy = await start();
      await proxy.close();
      const sent = await through(proxy.url).send(delivery(text("hi")), never);
      expect(sent).toMatchObject({ ok: false, failure: { retry: "unsent" } });
      expect(simulator.requests.entries).toEqual([]);
    });
  });
}

test("a file comes through the proxy too", async () => {
  const proxy = await startSocksProxy({ hosts: { localhost: "127.0.0.1" } }, "socks5h");
  try {
    const { id } = await simulator.sendMedia("15550001111", {
      type: "image",
      bytes: jpeg,
      mimeType: "image/jpeg",
      extension: "jpg",
    });
    network = createNetwork({
      config: v.parse(configSchema, { channels_config: { wati: { proxy_url: proxy.url } } }),
      env: {},
      log: silentLog,
    });
    const fetch = network.fetchFor("channel.wati");
    const channel = wati({ api_url: simulator.url }, { fetch });
    const source = { url: null, path: null, id, whatsappId: null };
    const media = {
      kind: "image",
      mimeType: null,
      filename: null,
      size: null,
      durationSecs: null,
      source,
    } as const;
    const got = await channel.openMedia(media, never);
    expect(new Uint8Array(await new Response(got.body).arrayBuffer())).toEqual(jpeg);
    expect(proxy.asked).toHaveLength(1);
  } finally {
    await proxy.close();
  }
});
