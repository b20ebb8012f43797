import { ConfigError, formatProblem } from "../config/problems.ts";
import { createNetwork } from "../net/fetch.ts";
import { buildInfo } from "../runtime/build-info.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLog } from "../telemetry/log.ts";
import { createScrubber } from "../telemetry/scrub.ts";
import { exitCode, type Command, type Invocation } from "./command.ts";
import { agentProbes } from "./doctor/agent-probes.ts";
import { cloudProbes } from "./doctor/cloud-probes.ts";
import { configProbes } from "./doctor/config-probes.ts";
import { gatewayProbes } from "./doctor/gateway-probes.ts";
import { machineProbes } from "./doctor/machine-probes.ts";
import { networkProbes } from "./doctor/network-probes.ts";
import { examine, type Examination, type Finding } from "./doctor/probe.ts";
import { renderFindings } from "./doctor/render.ts";
import { serviceProbes } from "./doctor/service-probes.ts";
import { watiProbes } from "./doctor/wati-probes.ts";
import { webProbes } from "./doctor/web-probes.ts";
import { load } from "./load.ts";
import { askDaemonIfRunning } from "./running-daemon.ts";

/** Long enough for a model to say a word, short enough for a person to wait. */
const probeTimeoutMs = 20_000;

const probes = [
  ...configProbes,
  ...machineProbes,
  ...networkProbes,
  ...cloudProbes,
  ...webProbes,
  ...watiProbes,
  ...gatewayProbes,
  ...agentProbes,
  ...serviceProbes,
];

export const command: Command = {
  usage: "doctor [--json]",
  about:
    "Tries everything Revka needs: config, store, clock, DNS, credentials, connections, agent, speech, proxy and service, with or without a running daemon. It sends no message. Exits 1 if it finds an error.",
  options: { json: { description: "One JSON document on standard output" } },
  examples: [
    ["revka doctor", "what works, what does not, and what to do about it"],
    ["revka doctor --json | jq '.findings[] | select(.level==\"error\")'", "for a script"],
  ],
  async run(invocation) {
    let loaded;
    try {
      loaded = await load(invocation);
    } catch (error) {
      if (error instanceof ConfigError && invocation.options["json"]) {
        print(problemFindings(error), invocation);
        return exitCode.config;
      }
      throw error;
    }
    const { env } = invocation;
    const network = createNetwork({ config: loaded.config, env, log: silentLog });
    try {
      const daemon = await hear(loaded.paths.socket);
      const examination = { loaded, env, network, ...daemon, clock: systemClock };
      const findings = await examine(probes, examination, probeTimeoutMs);
      const clean = createScrubber(loaded.secrets);
      print(
        findings.map((finding) => ({
          ...finding,
          message: clean(finding.message),
          next: finding.next === null ? null : clean(finding.next),
        })),
        invocation,
      );
      return findings.some(({ level }) => level === "error") ? exitCode.failed : exitCode.fine;
    } finally {
      await network.close();
    }
  },
};

/** A daemon that hangs, or is another account's, is a finding like others. */
async function hear(socket: string): Promise<Pick<Examination, "status" | "unheard">> {
  try {
    return { status: await askDaemonIfRunning(socket, (daemon) => daemon.status()) };
  } catch (error) {
    return { status: null, unheard: error instanceof Error ? error.message : String(error) };
  }
}

function problemFindings({ problems }: ConfigError): Finding[] {
  return problems.map((problem) => ({
    group: "config",
    name: problem.key ?? "file",
    level: "error",
    message: formatProblem(problem),
    next: "mend it, then run revka doctor again",
  }));
}

function print(findings: Finding[], { options, terminal }: Invocation): void {
  if (!options["json"]) return terminal.out(renderFindings(findings, terminal.color));
  const ok = findings.every(({ level }) => level !== "error");
  const { version, variant } = buildInfo;
  terminal.out(`${JSON.stringify({ version, variant, ok, findings }, null, 2)}\n`);
}
