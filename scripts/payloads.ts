import { createServer } from "node:http";
import { availableParallelism } from "node:os";
import type { TurnMessage } from "../src/agent/agent.ts";
import { startAgent } from "../test/e2e/support/agent.ts";
import { startDaemon } from "../test/e2e/support/daemon.ts";
import { startGraph } from "../test/e2e/support/graph.ts";
import { payloadFolder, payloadRows, type PayloadRow } from "../test/e2e/support/payloads.ts";
import { postWebhook } from "../test/e2e/support/webhook.ts";
import { misused, optionsOf } from "./options.ts";
import { compare, groups, type RowGroup } from "./payloads/expect.ts";

/**
 * Posts webhook bodies written by others to real daemons, and checks what the agent sees against `INDEX.tsv`:
 * `bun run payloads [-v] [--api meta|wati]`. Rows that cannot disturb each other share a daemon. Exit 1 where a `core` row comes out
 * otherwise than it says, a `negative` or `robust` row gives a message, or any body gets a 5xx.
 */

interface Result {
  row: PayloadRow;
  status: number;
  /** What is not as the index says; empty: exact. */
  deviations: string[];
}

const usage = "bun run payloads [-v] [--api meta|wati]";
const { values: options } = optionsOf(usage, {
  options: { verbose: { type: "boolean", short: "v" }, api: { type: "string" } },
});
if (options.api !== undefined && options.api !== "meta" && options.api !== "wati") {
  misused(usage, `there is no API "${options.api}"`);
}
const appSecret = "payloads-secret";
const settleMs = 20_000;

const rows = payloadRows();
if (!rows) {
  console.log(`skipped: ${payloadFolder} is not there`);
  process.exit(0);
}

const graph = await startGraph({
  account: { phoneNumberId: null, accessToken: "EAApayloads", appSecret },
});
const wati = await startWatiStub();
const queue = groups(rows.filter(({ api }) => (options.api ?? api) === api));
const groupCount = queue.length;
const results: Result[] = [];
try {
  await Promise.all(
    Array.from({ length: Math.min(4, availableParallelism()) }, async () => {
      for (let group = queue.shift(); group; group = queue.shift()) {
        results.push(...(await runGroup(group)));
      }
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
await graph.stop();
wati.stop();
process.exit(report(results) ? 0 : 1);

async function runGroup(group: RowGroup): Promise<Result[]> {
  const agent = await startAgent();
  await using daemon = await startDaemon({
    config: {
      agent: { kind: "webhook", url: agent.url },
      channels_config: { [group.api === "meta" ? "whatsapp" : "wati"]: channelConfig(group) },
    },
  });
  const done: Result[] = [];
  for (const row of group.rows) {
    const before = agent.turns.entries.length;
    const path = group.api === "meta" ? "/whatsapp" : "/wati";
    const signed = group.api === "meta" ? { appSecret } : {};
    const answer = await postWebhook(daemon.url + path, row.body, signed);
    await settled(async () => (await daemon.status()).inbox.pending === 0);
    const seen: TurnMessage[] = [];
    const chats: string[] = [];
    for (const turn of agent.turns.entries.slice(before)) {
      for (const message of turn.messages) {
        seen.push(message);
        chats.push(turn.chat.kind === "group" ? turn.chat.id : "");
      }
    }
    done.push({ row, status: answer.status, deviations: compare(row, seen, chats) });
  }
  agent.stop();
  return done;
}

function channelConfig(group: RowGroup): Record<string, unknown> {
  if (group.api === "wati") {
    return { api_token: "payloads", api_url: wati.url, allowed_numbers: group.allowed };
  }
  return {
    access_token: "EAApayloads",
    app_secret: appSecret,
    verify_token: "payloads",
    phone_number_id: group.phoneNumberId,
    allowed_numbers: group.allowed,
    api_base_url: graph.url,
    graph_api_version: "v26.0",
  };
}

async function settled(check: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + settleMs;
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`turns still wait after ${settleMs} ms`);
    await Bun.sleep(3);
  }
}

/** Answers every call of the WATI channel with "not found": nothing is sent here, and no media is there. */
async function startWatiStub() {
  const server = createServer((_, response) => {
    response.writeHead(404, { "content-type": "application/json" });
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}`, stop: () => void server.close() };
}

function report(all: Result[]): boolean {
  const binding = new Set(["core", "negative", "robust"]);
  let fine = true;
  for (const { row, status, deviations } of all) {
    const broken = status >= 500 || (binding.has(row.class) && deviations.length > 0);
    if (broken) fine = false;
    if (!broken && !(options.verbose && deviations.length > 0)) continue;
    const answered = status === 200 ? "" : ` [HTTP ${status}]`;
    console.log(`${broken ? "DEVIATES" : "differs "} ${row.class} ${row.path}${answered}`);
    for (const deviation of deviations) console.log(`    ${deviation}`);
    if (row.notes) console.log(`    note: ${row.notes}`);
  }
  for (const api of ["meta", "wati"]) {
    for (const name of ["core", "negative", "robust", "lenient", "edge"]) {
      const mine = all.filter(({ row }) => row.api === api && row.class === name);
      const exact = mine.filter(({ deviations }) => deviations.length === 0).length;
      const words = binding.has(name) ? "as the index says" : "as the index says (no promise)";
      if (mine.length > 0) console.log(`${api} ${name}: ${exact} of ${mine.length} ${words}`);
    }
  }
  const errors = all.filter(({ status }) => status >= 500).length;
  console.log(`${all.length} bodies, ${groupCount} daemons, ${errors} answered with a 5xx`);
  return fine;
}
