import {
  examine,
  type Examination,
  type Finding,
  type Probe,
} from "../../src/commands/doctor/probe.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import type { Fetch } from "../../src/net/fetch.ts";
import { fakeClock } from "./clock.ts";

/** What these probes find of a config, where no daemon runs; every request of theirs is answered by `fetch`. */
export function examined(
  probes: readonly Probe[],
  loaded: LoadedConfig,
  changes: Partial<Examination> = {},
  fetch: Fetch = async () => new Response(),
): Promise<Finding[]> {
  const network = { fetchFor: () => fetch, proxyUrlFor: () => null, close: async () => {} };
  const examination = { loaded, env: {}, network, status: null, clock: fakeClock(), ...changes };
  return examine(probes, examination, 1000);
}
