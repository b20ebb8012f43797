import { AgentError } from "../../agent/agent.ts";
import { createAgent } from "../../agent/registry.ts";
import { findExecutable } from "../../runtime/executable.ts";
import { createSynthesizer } from "../../speech/synthesis.ts";
import { createTranscriber } from "../../speech/transcription.ts";
import { silentLog } from "../../telemetry/log.ts";
import { error, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

export const agentProbes: Probe[] = [
  { group: "agent", name: "agent", run: agentVerdicts },
  { group: "speech", name: "transcription", run: transcriptionVerdicts },
  { group: "speech", name: "voice notes", run: synthesisVerdicts },
];

async function agentVerdicts(examination: Examination, signal: AbortSignal): Promise<Verdict[]> {
  try {
    const agent = await createAgent({ ...common(examination), config: examination.loaded.config });
    return [ok("agent", await agent.probe(signal))];
  } catch (reason) {
    if (!(reason instanceof AgentError)) throw reason;
    return [
      error(
        "agent",
        reason.detail,
        "mend [agent] or the provider's keys: until then no turn succeeds",
      ),
    ];
  }
}

function transcriptionVerdicts(examination: Examination): Verdict[] {
  const { transcription: config } = examination.loaded.config;
  const transcriber = config && createTranscriber({ ...common(examination), config });
  if (!transcriber) return [];
  return transcriber.ready.ok
    ? [ok("transcription", `${transcriber.provider} is set up`)]
    : [
        warning(
          "transcription",
          transcriber.ready.reason,
          "voice notes reach the agent without text",
        ),
      ];
}

function synthesisVerdicts(examination: Examination): Verdict[] {
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
  return synthesizer.canVoice.ok
    ? [
        ok(
          "voice notes",
          `${synthesizer.provider} is set up${ffmpeg ? `, ffmpeg is ${ffmpeg}` : ""}`,
        ),
      ]
    : [warning("voice notes", synthesizer.canVoice.reason, "answers are sent as text alone")];
}

function common({ env, network, clock }: Examination) {
  return {
    env: { ...env },
    fetchFor: (service: string) => network.fetchFor(service),
    clock,
    log: silentLog,
  };
}
