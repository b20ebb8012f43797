import { connect } from "node:net";
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
  { group: "proxy", name: "proxy", run: proxyVerdicts },
];

async function agentVerdicts(examination: Examination, signal: AbortSignal): Promise<Verdict[]> {
  try {
    const agent = createAgent({ ...common(examination), config: examination.loaded.config });
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
  const transcriber = createTranscriber({
    ...common(examination),
    config: examination.loaded.config.transcription,
  });
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
  const synthesizer = createSynthesizer({
    ...common(examination),
    config: examination.loaded.config.tts,
    ffmpeg,
  });
  if (!synthesizer) return [];
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

/** Is something listening where each channel's proxy should be? That it leads on is shown by the channel's probes. */
async function proxyVerdicts(
  { loaded, network }: Examination,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const { whatsapp, wati } = loaded.config.channels_config;
  const ways: [service: string, target: string][] = [
    ...(whatsapp ? [["channel.whatsapp", whatsapp.api_base_url] as [string, string]] : []),
    ...(wati ? [["channel.wati", wati.api_url] as [string, string]] : []),
  ];
  const verdicts: Verdict[] = [];
  for (const [service, target] of ways) {
    const address = network.proxyUrlFor(service, target);
    if (address === null) continue;
    const url = new URL(address);
    const port = Number(url.port) || (url.protocol.startsWith("socks") ? 1080 : 80);
    const place = `${url.protocol}//${url.hostname}:${port}`;
    verdicts.push(
      (await listens(url.hostname.replace(/^\[|\]$/g, ""), port, signal))
        ? ok("proxy", `${service} goes through ${place}, which takes connections`)
        : error(
            "proxy",
            `${place}, the proxy of ${service}, takes no connection`,
            "start or mend it",
          ),
    );
  }
  return verdicts;
}

function listens(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean) => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = () => end(false);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
