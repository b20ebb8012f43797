import type { GraphOptions } from "../../../src/simulator/graph/options.ts";
import { defaultAccount } from "../../../src/simulator/graph/options.ts";
import { startGraphSimulator, type GraphSimulator } from "../../../src/simulator/graph.ts";
import { startDaemon, type StartOptions, type TestDaemon } from "./daemon.ts";
import { whatsappSettings } from "../../../src/simulator/graph/daemon-settings.ts";

export const account = defaultAccount;

type Table = Record<string, unknown>;

export interface CloudSetup {
  graph: GraphSimulator;
  daemon: TestDaemon;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The configuration of a daemon in Cloud mode against a simulator: everybody allowed, echo agent. */
export function cloudConfig(
  graphUrl: string,
  changes: { whatsapp?: Table; channels?: Table; agent?: Table; root?: Table } = {},
): Table {
  return {
    agent: { kind: "echo", ...changes.agent },
    channels_config: {
      ...changes.channels,
      whatsapp: {
        ...whatsappSettings(account, graphUrl),
        allowed_numbers: ["*"],
        ...changes.whatsapp,
      },
    },
    ...changes.root,
  };
}

/** A Graph simulator and a real daemon that know each other. */
export async function startCloud(
  changes: Parameters<typeof cloudConfig>[1] = {},
  options: { graph?: GraphOptions; daemon?: Partial<StartOptions> } = {},
): Promise<CloudSetup> {
  const graph = await startGraphSimulator(options.graph);
  try {
    const config = cloudConfig(graph.url, changes);
    const daemon = await startDaemon({ config, ...options.daemon });
    graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
    return {
      graph,
      daemon,
      async [Symbol.asyncDispose]() {
        await daemon[Symbol.asyncDispose]();
        await graph.stop();
      },
    };
  } catch (error) {
    await graph.stop();
    throw error;
  }
}

/** Texts that a customer got, in order. */
export function textsTo(graph: GraphSimulator, phone: string): (string | null)[] {
  return graph.records.sentTo(phone).map((send) => send.text);
}
