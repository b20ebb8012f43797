import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createWatiSimulator } from "../../src/simulator/wati.ts";
import { closing } from "../net/closing.ts";
import type { CountingProxy } from "../net/proxies.ts";
import { opusFile } from "../speech/opus.ts";
import { startAgent } from "./support/agent.ts";
import { startDaemon } from "./support/daemon.ts";
import { hide, proxyKinds } from "./support/proxies.ts";
import { speechConfig, startSpeech, startTranscription } from "./support/speech.ts";
import { webhookSecret, watiConfig } from "./support/wati.ts";

setDefaultTimeout(30_000);

const closed = closing();
const note = Buffer.from(opusFile(2));

describe("WATI behind its proxy_url: text, files both ways, and the question whether it works", () => {
  const kinds: [string, () => Promise<CountingProxy>][] = [
    ["http", proxyKinds["http"]!],
    ["socks5 with credentials", proxyKinds["socks5 with credentials"]!],
  ];
  for (const [kind, start] of kinds) {
    test(kind, async () => {
      const proxy = closed(await start());
      const wati = createWatiSimulator();
      closed(await wati.start());
      const hidden = closed(await hide(wati));
      // Not proxied: [proxy] is off, so that the agent and the services are asked directly.
      const transcription = closed(await startTranscription("the question"));
      const speech = closed(await startSpeech(note));
      const agent = await startAgent(() => ({ body: { text: "the answer" } }));
      const config = watiConfig(wati, {
        agent: { kind: "webhook", url: agent.url },
        wati: { proxy_url: proxy.url },
        root: speechConfig({ transcription, speech }),
      });
      const daemon = await startDaemon({ config, env: { NO_PROXY: "*" } });
      closed({ close: () => daemon[Symbol.asyncDispose]() });
      wati.webhook.url = `${daemon.url}/wati?secret=${webhookSecret}`;
      wati.faults.add({ effect: { kind: "http", status: 401 }, times: 1 });
      const voice = { bytes: note, mimeType: "audio/ogg", extension: "opus" };
      await wati.sendMedia("15550001111", { type: "audio", ...voice });
      const sends = await wati.waitForSends({ count: 2, timeoutMs: 10_000 });
      expect(sends.map(({ kind: sent, text }) => [sent, text])).toEqual([
        ["text", "the answer"],
        ["file", null],
      ]);
      expect(Buffer.from(sends[1]?.file?.bytes ?? []).equals(note)).toBe(true);
      expect(agent.turns.entries[0]?.messages[0]).toMatchObject({
        type: "voice",
        text: "[Voice] the question",
      });
      expect(hidden.direct).toBe(0);
      const port = `:${new URL(wati.url).port}`;
      expect(proxy.asked.every((line) => line.includes(port))).toBe(true);
      expect(wati.requests.entries.map(({ path }) => path.split("/").at(-1))).toEqual([
        "showFile",
        "text",
        "conversations",
        "text",
        "file",
      ]);
      agent.stop();
    });
  }
});
