import { statSync } from "node:fs";
import { AgentError } from "../../agent/agent.ts";
import { createAgent } from "../../agent/registry.ts";
import { findExecutable } from "../../runtime/executable.ts";
import { createSynthesizer } from "../../speech/synthesis.ts";
import { createTranscriber } from "../../speech/transcription.ts";
import { silentLog } from "../../telemetry/log.ts";
import { scriptOf } from "./agent-script.ts";
import { hostOf, listens, ways } from "./network-probes.ts";
import { error, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

export const agentProbes: Probe[] = [
  { group: "agent", name: "agent", run: agentVerdicts },
  { group: "speech", name: "transcription", run: transcriptionVerdicts },
  { group: "speech", name: "voice notes", run: synthesisVerdicts },
];

async function agentVerdicts(examination: Examination, signal: AbortSignal): Promise<Verdict[]> {
  try {
    const agent = await createAgent({ ...common(examination), config: examination.loaded.config });
    const said = await agent.probe(signal);
    return [agent.kind === "command" ? commandVerdict(said, examination) : ok("agent", said)];
  } catch (reason) {
    if (!(reason instanceof AgentError)) throw reason;
    return [
      error("agent", reason.detail, `${remedy(examination, reason)}: until then no turn succeeds`),
    ];
  }
}

function remedy({ loaded }: Examination, { retryable }: AgentError): string {
  const { kind = "model", cwd } = loaded.config.agent ?? {};
  if (kind === "command") return `mend [agent] command${cwd === undefined ? "" : " or cwd"}`;
  if (kind === "webhook") return "see that it runs, and that [agent] url leads to it";
  return retryable
    ? "see whether the provider, the network and the proxy are up"
    : "mend default_provider, default_model or the provider's key";
}

/** `said` is what the probe found of the program alone; an interpreter is there also where its script is not. */
function commandVerdict(said: string, { loaded }: Examination): Verdict {
  const command = loaded.config.agent?.command ?? [];
  const script = scriptOf(command);
  if (script === null) return ok("agent", `${said}; it was looked for, not run`);
  if (!isMissing(script))
    return ok("agent", `${said} with ${script}; both were looked for, not run`);
  return error(
    "agent",
    `${script}, which [agent] command hands to ${command[0]}, does not exist`,
    "put it there, or mend [agent] command: until then no turn succeeds",
  );
}

/** Where this account may not look, the daemon's may. */
function isMissing(path: string): boolean {
  try {
    return !statSync(path, { throwIfNoEntry: false });
  } catch {
    return false;
  }
}

async function transcriptionVerdicts(
  examination: Examination,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const { transcription: config } = examination.loaded.config;
  const transcriber = config && createTranscriber({ ...common(examination), config });
  if (!transcriber) return [];
  const { provider, ready } = transcriber;
  const without = "voice notes reach the agent without text";
  if (!ready.ok) return [warning("transcription", ready.reason, without)];
  const deaf = await silentServer(examination, "transcription.local_whisper", signal);
  return deaf === null
    ? [ok("transcription", `${provider} is set up`)]
    : [warning("transcription", deaf, `start it, or mend its address: until then ${without}`)];
}

async function synthesisVerdicts(
  examination: Examination,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const ffmpeg = findExecutable("ffmpeg", examination.env["PATH"]);
  const { tts: config } = examination.loaded.config;
  const synthesizer = config && createSynthesizer({ ...common(examination), config, ffmpeg });
  if (!synthesizer) return [];
  if (synthesizer.provider === "piper" && synthesizer.canVoice.ok && !ffmpeg) {
    return [
      warning(
        "voice notes",
        "a Piper server may give WAV alone, and ffmpeg is not installed",
        "install ffmpeg, unless the server gives Ogg/Opus: else answers are sent as text alone",
      ),
    ];
  }
  const { provider, canVoice } = synthesizer;
  const without = "answers are sent as text alone";
  if (!canVoice.ok) return [warning("voice notes", canVoice.reason, without)];
  const mute = await silentServer(examination, "tts.piper", signal);
  if (mute !== null) {
    return [warning("voice notes", mute, `start it, or mend its address: until then ${without}`)];
  }
  return [ok("voice notes", `${provider} is set up${ffmpeg ? `, ffmpeg is ${ffmpeg}` : ""}`)];
}

/**
 * What is wrong with a speech server of one's own, which nobody else keeps running; null where it listens, is not used,
 * or is reached through a proxy, which has a probe of its own.
 */
async function silentServer(
  examination: Examination,
  service: string,
  signal: AbortSignal,
): Promise<string | null> {
  const way = ways(examination).find((each) => each.service === service);
  if (!way || way.proxy !== null) return null;
  const url = new URL(way.target);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (await listens(hostOf(url), port, signal)) return null;
  return `${service.replace(/^.*\./, "")} takes no connection at ${url.host}`;
}

function common({ env, network, clock }: Examination) {
  return {
    env: { ...env },
    fetchFor: (service: string) => network.fetchFor(service),
    clock,
    log: silentLog,
  };
}
