import {
  createWatiSimulator,
  type WatiSimulator,
  type WatiSimulatorOptions,
} from "../../../src/simulator/wati.ts";
import { startDaemon, type StartOptions, type TestDaemon } from "./daemon.ts";

type Table = Record<string, unknown>;

export interface WatiSetup {
  wati: WatiSimulator;
  daemon: TestDaemon;
  [Symbol.asyncDispose](): Promise<void>;
}

export const webhookSecret = "wati-webhook-secret";

/** The configuration of a daemon before a simulator of WATI: everybody allowed, echo agent. */
export function watiConfig(
  wati: WatiSimulator,
  changes: { wati?: Table; channels?: Table; agent?: Table; root?: Table } = {},
): Table {
  return {
    agent: { kind: "echo", ...changes.agent },
    channels_config: {
      ...changes.channels,
      wati: {
        api_token: wati.token,
        api_url: wati.url,
        allowed_numbers: ["*"],
        webhook_secret: webhookSecret,
        ...changes.wati,
      },
    },
    ...changes.root,
  };
}

/** A simulator of WATI and a real daemon that know each other. */
export async function startWati(
  changes: Parameters<typeof watiConfig>[1] = {},
  options: {
    wati?: WatiSimulatorOptions;
    daemon?: Partial<StartOptions>;
    /** Looks at the simulator before the daemon is told of it. */
    prepare?: (wati: WatiSimulator) => void | Promise<void>;
  } = {},
): Promise<WatiSetup> {
  const wati = createWatiSimulator(options.wati);
  const { close } = await wati.start();
  try {
    await options.prepare?.(wati);
    const daemon = await startDaemon({ config: watiConfig(wati, changes), ...options.daemon });
    wati.webhook.url = `${daemon.url}/wati`;
    wati.webhook.headers = { "x-revka-webhook-secret": webhookSecret };
    return {
      wati,
      daemon,
      async [Symbol.asyncDispose]() {
        await daemon[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
