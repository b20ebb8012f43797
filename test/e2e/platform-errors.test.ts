import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { controlClient } from "../../src/control/client.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { startCloud, textsTo } from "./support/cloud.ts";
import { healthOf } from "./support/health.ts";

const ada = { phone: "15550001111" };
const bob = { phone: "15550002222" };
const { text } = content;

describe("what the platform says", () => {
  test.concurrent(
    "190: sending is held with an alarm, and goes on by itself once the token works",
    async () => {
      await using setup = await startCloud();
      const { graph, daemon } = setup;
      const { accessToken } = graph.account;
      graph.account.accessToken = "EAAanother";
      for (const from of [ada, bob]) graph.write({ from, content: text(`from ${from.phone}`) });
      await daemon.waitForLog("alarm: The access token is invalid");
      const status = await daemon.status();
      expect(status.alarms).toMatchObject([{ source: "whatsapp.cloud", code: "190" }]);
      expect(status.channels).toMatchObject([
        { state: "disconnected", last_error: { code: "190" } },
      ]);
      const { status: code, body } = await healthOf(daemon.url);
      expect([code, body]).toEqual([503, expect.stringContaining("access token")]);
      expect(graph.records.sends.entries).toEqual([]);
      const asked = await controlClient(join(daemon.home, "revka.sock")).send({
        to: "+15550009999",
        text: "when you can",
      });
      expect(asked.deliveries).toMatchObject([{ state: "pending", code: "190" }]);
      graph.account.accessToken = accessToken;
      await graph.waitForSends({ count: 3, timeoutMs: 10_000 });
      expect((await healthOf(daemon.url)).status).toBe(200);
      expect((await daemon.status()).alarms).toEqual([]);
    },
    20_000,
  );

  test.concurrent(
    "each recipient's trouble is theirs: 131047 fails, 131056 and Retry-After wait, a lost answer is not doubled",
    async () => {
      await using setup = await startCloud({ whatsapp: { status_grace_secs: 1 } });
      const { graph, daemon } = setup;
      const phone = (digit: number) => `1555000300${digit}`;
      const [closed, paced, limited, lost, fine] = [1, 2, 3, 4, 5].map(phone);
      const error = (recipient: string | undefined, code: number, retryAfterSecs?: number) =>
        graph.faults.add({
          effect: { kind: "error", code, ...(retryAfterSecs ? { retryAfterSecs } : {}) },
          times: 1,
          ...(recipient ? { recipient } : {}),
        });
      error(closed, 131047);
      error(paced, 131056);
      error(limited, 130429, 4);
      graph.faults.add({
        effect: { kind: "lose-answer" },
        times: 1,
        ...(lost ? { recipient: lost } : {}),
      });
      const began = Date.now();
      for (const each of [closed, paced, limited, lost, fine]) {
        for (const words of ["one", "two"]) {
          graph.write({ from: { phone: each ?? null }, content: text(words) });
        }
      }
      await graph.waitForSends({ ...(fine ? { to: fine } : {}), count: 2 });
      expect(Date.now() - began).toBeLessThan(3_000);
      const after = async (recipient: string | undefined, count: number) => {
        const sends = await graph.waitForSends({ to: recipient ?? "", count, timeoutMs: 10_000 });
        return { ms: (sends[0]?.at ?? 0) - began, texts: sends.map((send) => send.text) };
      };
      expect((await after(closed, 1)).texts).toEqual(["two"]);
      const waited = await after(paced, 2);
      expect(waited.texts).toEqual(["one", "two"]);
      expect(waited.ms).toBeGreaterThan(3_000);
      const told = await after(limited, 2);
      expect(told.texts).toEqual(["one", "two"]);
      expect(told.ms).toBeGreaterThanOrEqual(4_000);
      expect((await after(lost, 2)).texts).toEqual(["one", "two"]);
      await graph.idle();
      expect(textsTo(graph, lost ?? "")).toEqual(["one", "two"]);
      expect((await daemon.status()).failed_deliveries).toMatchObject([
        { code: "131047", hint: expect.stringContaining("24 hours") },
      ]);
    },
    20_000,
  );
});
