import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { spawnGraph } from "../../test/e2e/support/graph.ts";
import { startSlowAgent } from "../torture/agent.ts";
import { cloudWebhooks } from "../torture/cloud.ts";
import { Customers } from "../torture/customers.ts";
import { freePort } from "../free-port.ts";
import { Victim } from "../torture/daemon.ts";
import { judge, type Verdict } from "../torture/ledger.ts";
import { whatsappSettings } from "../../src/simulator/graph/daemon-settings.ts";

export interface SlowAgentOptions {
  messages: number;
  chats: number;
  /** How long the agent thinks about each turn, ms. */
  agentMs: number;
  /** Turns at once. */
  turns: number;
  /** Webhooks a second. */
  perSecond: number;
  /** An executable of Revka; the source when null. */
  binary: string | null;
}

export interface SlowAgentReport {
  verdict: Verdict;
  /** From a webhook's post to its 200, ms. */
  acknowledgement: { median: number; p99: number; worst: number };
  agentTurns: number;
  seconds: number;
}

/** Webhooks come in faster than the agent answers: how quickly are they acknowledged, and is all answered in order? */
export async function slowAgentRun(options: SlowAgentOptions): Promise<SlowAgentReport> {
  const folder = mkdtempSync(join(tmpdir(), "revka-slow-agent-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const agent = await startSlowAgent(() => options.agentMs);
  const graph = await spawnGraph({ webhooks: { url: `${url}/whatsapp` } });
  const { account } = graph;
  const victim = new Victim({
    home: folder,
    port,
    binary: options.binary,
    config: {
      agent: { kind: "webhook", url: agent.url, max_concurrent_turns: options.turns },
      channels_config: {
        whatsapp: {
          ...whatsappSettings(account, graph.url),
          allowed_numbers: ["*"],
          messages_per_second: 1000,
        },
      },
    },
  });
  const customers = new Customers(url, cloudWebhooks(account));
  const times: number[] = [];
  customers.on("acknowledged", (ms) => void times.push(ms));
  try {
    victim.start();
    while (
      !(await fetch(`${url}/health`).then(
        (answer) => answer.ok,
        () => false,
      ))
    )
      await pause(20);
    const began = performance.now();
    for (let number = 0; number < options.messages; number++) {
      const due = began + (number / options.perSecond) * 1000;
      if (due > performance.now()) await pause(due - performance.now());
      const chat = number % options.chats;
      customers.post({ chat, messages: 1, delayMs: 0, copies: 0, cutAfterMs: null });
    }
    const rounds = Math.ceil(options.messages / Math.min(options.turns, options.chats)) + 5;
    await graph.waitForSends({
      count: options.messages,
      timeoutMs: 30_000 + 2 * rounds * options.agentMs,
    });
    const seconds = (performance.now() - began) / 1000;
    const sends = (await graph.records("sends")).filter((send) => send.wamid !== null);
    const accepted = sends.map((send) => ({
      chat: send.recipient,
      text: send.text,
      deliveryId: send.callbackData,
    }));
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0;
    return {
      verdict: judge(customers.written, accepted, new Map()),
      acknowledgement: { median: at(0.5), p99: at(0.99), worst: at(1) },
      agentTurns: agent.turns,
      seconds,
    };
  } finally {
    customers.stop();
    await victim.end("SIGKILL");
    await graph.stop();
    agent.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
