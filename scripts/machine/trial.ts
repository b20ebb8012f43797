import { stringify } from "smol-toml";
import { content } from "../../src/simulator/graph/content.ts";
import type { RemoteGraph } from "../../test/e2e/support/graph.ts";

let failures = 0;

/** Tells what a check found, or that it failed and why; the trial goes on. */
export async function show(what: string, check: () => string | Promise<string>): Promise<void> {
  try {
    console.log(`ok      ${what}: ${await check()}`);
  } catch (error) {
    failures++;
    console.log(`FAILED  ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Ends the process: with 1 where something did not hold. */
export function conclude(): never {
  console.log(failures === 0 ? "everything held" : `${failures} did not hold`);
  process.exit(failures === 0 ? 0 : 1);
}

export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Seconds until it held. */
export async function until(what: string, seconds: number, holds: () => boolean): Promise<number> {
  const started = Date.now();
  while (!holds()) {
    if (Date.now() - started > seconds * 1000) throw new Error(`not within ${seconds} s: ${what}`);
    await Bun.sleep(100);
  }
  return (Date.now() - started) / 1000;
}

export interface TrialConfig {
  graph: RemoteGraph;
  port: number;
  verifyToken: string;
  appSecret?: string;
  /** What the agent does, a line of shell. */
  agent?: string;
}

/** A config for the Graph API's stand-in, with an agent that is a process of its own. */
export function trialConfig({ graph, port, verifyToken, appSecret, agent }: TrialConfig): string {
  const { account } = graph;
  return stringify({
    // Runs under the same restrictions as the daemon.
    agent: {
      kind: "command",
      command: ["/bin/sh", "-c", agent ?? `echo '{"text":"from a child"}'`],
    },
    channels_config: {
      whatsapp: {
        access_token: account.accessToken,
        phone_number_id: account.phoneNumberId,
        verify_token: verifyToken,
        ...(appSecret === undefined ? {} : { app_secret: appSecret }),
        allowed_numbers: ["*"],
        api_base_url: graph.url,
        graph_api_version: "v26.0",
      },
    },
    gateway: { port },
  });
}

const customer = { phone: "+15550001111" };

/** Sends a signed message to the daemon on `port`. */
export async function write(graph: RemoteGraph, port: number, text: string): Promise<void> {
  await graph.clearRecords();
  await graph.settings({ webhooks: { url: `http://127.0.0.1:${port}/whatsapp` } });
  await graph.write([{ from: customer, content: content.text(text) }]);
}

/** What it was answered with. Throws where that was not one answer. */
export async function answer(graph: RemoteGraph): Promise<string> {
  await graph.waitForSends({ count: 1, timeoutMs: 30_000 });
  // One that came twice would have come by now.
  await Bun.sleep(1_000);
  const sent = await graph.sentTo(customer.phone);
  must(sent.length === 1, `${sent.length} answers`);
  return sent[0]?.text ?? "";
}
