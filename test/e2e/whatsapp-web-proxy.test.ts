import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDispatchedFetch } from "../../src/net/dispatched-fetch.ts";
import { parseProxy } from "../../src/net/proxy.ts";
import { Harness, PATIENCE_MS } from "../channels/whatsapp-web/harness.ts";
import { sendHistoryChunk } from "../doubles/whatsapp-web/history.ts";
import { type CountingProxy, startHttpProxy, startSocksProxy } from "../net/proxies.ts";

setDefaultTimeout(60_000);

let h: Harness;
let proxy: CountingProxy;
let closeFetch: () => Promise<void>;
afterEach(async () => {
  await h.stop();
  await closeFetch();
  await proxy.close();
});

/** The channel behind the proxy; whatever would reach out by another way fails the test. */
async function behind(started: CountingProxy): Promise<void> {
  proxy = started;
  h = await Harness.start({
    options: {
      proxyUrl: proxy.url,
      fetch: (url, init) => bound.fetch(url, init),
    },
  });
  const { mediaCertificate } = h.wa;
  const ca = mediaCertificate ? [mediaCertificate] : [];
  const bound = await createDispatchedFetch(parseProxy(proxy.url), { ca });
  closeFetch = bound.close;
}

const proxies: Record<string, () => Promise<CountingProxy>> = {
  http: () => startHttpProxy({ credentials: "user:pass" }),
  socks5: () => startSocksProxy({ credentials: "user:pass" }, "socks5"),
  socks5h: () => startSocksProxy({}, "socks5h"),
};

for (const [kind, start] of Object.entries(proxies)) {
  test(`through a ${kind} proxy: socket and media, both ways, every connection`, async () => {
    await behind(await start());
    await h.run();
    await h.link();
    const port = new URL(h.wa.url).port;
    const reached = (wanted: string) => proxy.asked.filter((line) => line.includes(`:${wanted}`));
    expect(reached(port)).toHaveLength(2);

    const picture = Buffer.alloc(5000, "x");
    await h.ada.send(h.owner, { image: picture, caption: "look" });
    const { attachments } = await h.message("look");
    const [attachment] = attachments;
    if (!attachment) throw new Error("no attachment");
    const { body } = await h.channel.openMedia(attachment, AbortSignal.timeout(PATIENCE_MS));
    expect(Buffer.from(await new Response(body).arrayBuffer())).toEqual(picture);

    mkdirSync(h.folder, { recursive: true });
    const path = join(h.folder, "answer.png");
    writeFileSync(path, picture);
    const sent = await h.send(h.ada, {
      kind: "media",
      media: "image",
      path,
      mimeType: "image/png",
      filename: null,
      caption: "answer",
      durationSecs: null,
    });
    expect(sent).toMatchObject({ ok: true });
    await h.ada.waitForMessage("answer");
    const mediaPort = h.wa.media.host.split(":")[1] ?? "none";
    expect(reached(mediaPort).length).toBeGreaterThan(0);

    // The media server's certificate is known to the channel's own way alone.
    const [companion] = h.owner.companions;
    const { jid: pnJid, lid: lidJid } = h.bob;
    await sendHistoryChunk(
      { phone: h.owner, companion: companion!, media: h.wa.media },
      { history: { phoneNumberToLidMappings: [{ pnJid, lidJid }] } },
    );
    await h.events.waitFor((one) => one.kind === "identity" && one.sender.lid === lidJid);
  });
}

test("a proxy that refuses: nothing goes out directly, and the state says so", async () => {
  await behind(await startHttpProxy({ refuse: 503 }));
  await h.run();
  await h.until(() => h.channel.status().state === "disconnected");
  expect(h.channel.status().reason).toStartWith(
    "the proxy on the way to WhatsApp refused: see its log, or check proxy_url and [proxy]; next try",
  );
  expect(proxy.asked.length).toBeGreaterThan(0);
  expect(h.wa.registrations.count).toBe(0);
  expect(h.wa.mostConnections).toBe(0);
});

test("a proxy address that cannot be used: no connection at all", async () => {
  proxy = await startHttpProxy();
  closeFetch = async () => {};
  h = await Harness.start({ options: { proxyUrl: "ftp://127.0.0.1:1" } });
  await h.run();
  expect(h.channel.status().state).toBe("disconnected");
  expect(h.wa.mostConnections).toBe(0);
});
