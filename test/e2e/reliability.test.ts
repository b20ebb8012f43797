import { expect, test } from "bun:test";
import { longRun } from "../../scripts/long-run/run.ts";
import { slowAgentRun } from "../../scripts/slow-agent/run.ts";
import type { Verdict } from "../../scripts/torture/ledger.ts";
import type { Scenario } from "../../scripts/torture/plan.ts";
import { canTrace } from "../../scripts/torture/power.ts";
import { torture } from "../../scripts/torture/run.ts";

/** What the whole runs show with hundreds of rounds (docs/reliability.md), shown again with a few. */
const binary = process.env["REVKA_BINARY"] ?? null;

const expectAllWell = (verdict: Verdict) => {
  expect(verdict.acknowledged).toBe(verdict.messages);
  expect(verdict).toMatchObject({
    lost: [],
    answeredTwice: [],
    outOfOrder: [],
    againstStoredOrder: [],
    doubled: [],
    foreign: 0,
  });
};

const killed: [Scenario, "cloud" | "wati", "echo" | "webhook", number][] = [
  ["mixed", "cloud", "webhook", 4],
  ["lost", "cloud", "echo", 4],
  ["lost", "wati", "echo", 4],
  ["away", "cloud", "echo", 4],
];
test.concurrent.each(killed)(
  "killed over and over (%s, %s, %s agent) it loses nothing, repeats nothing and keeps the order",
  async (scenario, platform, agent, seed) => {
    const report = await torture({
      rounds: 6,
      seed,
      scenario,
      platform,
      agent,
      chats: 12,
      binary,
      statusGraceSecs: 3,
      say: () => {},
    });
    expectAllWell(report.verdict);
    expect(report.verdict.messages).toBeGreaterThan(30);
    expect(report.kills).toBeGreaterThan(3);
    expect(report.firstStarts.cameUp).toBe(report.firstStarts.killed);
    expect(report.store.integrity).toBe("ok");
  },
  120_000,
);

test.skipIf(!canTrace())(
  "after power cuts it goes on from what was synced, and no other promise is broken",
  async () => {
    const report = await torture({
      rounds: 6,
      seed: 4,
      scenario: "power",
      agent: "echo",
      chats: 12,
      binary,
      say: () => {},
    });
    expectAllWell(report.verdict);
    expect(report.crashes).toEqual([]);
    expect(report.firstStarts.cameUp).toBe(report.firstStarts.killed);
    expect(report.power?.cuts).toBeGreaterThan(2);
    expect(report.power?.uncertain).toBeGreaterThan(0);
    expect(report.store.integrity).toBe("ok");
  },
  120_000,
);

test("webhooks are acknowledged at once while a slow agent thinks", async () => {
  const report = await slowAgentRun({
    messages: 80,
    chats: 40,
    agentMs: 1_500,
    turns: 40,
    perSecond: 100,
    binary,
  });
  expectAllWell(report.verdict);
  // Well under a turn, on a busy machine too: nobody waits for the agent. `bun run slow-agent` wants 250 ms.
  expect(report.acknowledgement.p99).toBeLessThan(1_200);
}, 60_000);

test("a message costs the same at the end of a long run as at its beginning", async () => {
  const { answered, answeredTwice, crashes, samples } = await longRun({
    messages: 12_000,
    window: 64,
    samples: 6,
    statuses: true,
    receipts: false,
    binary,
    onSample: () => {},
  });
  expect([answered, answeredTwice, crashes]).toEqual([12_000, 0, []]);
  const [, early, ...later] = samples;
  const last = later.at(-1);
  if (!early || !last) throw new Error("too few samples");
  expect(last.memory - early.memory).toBeLessThan(48 * 1024 * 1024);
  if (early.cpu !== null && last.cpu !== null) expect(last.cpu / early.cpu).toBeLessThan(1.5);
}, 120_000);
