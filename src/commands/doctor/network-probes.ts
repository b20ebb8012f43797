import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { chooseProvider } from "../../agent/providers.ts";
import type { Config, TranscriptionConfig, TtsConfig } from "../../config/schema.ts";
import { selectBackend } from "../../config/select.ts";
import { networkErrorCode } from "../../net/network-error.ts";
import { parseProxy } from "../../net/proxy.ts";
import { buildInfo } from "../../runtime/build-info.ts";
import { serviceUrls } from "../../speech/service.ts";
import { error, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

/** A resolver that takes longer makes every first request slow, ms. */
const dnsTimeoutMs = 5_000;

export const networkProbes: Probe[] = [
  { group: "network", name: "DNS", run: (examination) => dnsVerdicts(examination) },
  { group: "proxy", name: "proxy", run: proxyVerdicts },
];

interface Way {
  /** As `[proxy] services` names it. */
  service: string;
  /** An address of the service, as `fetch` takes it. */
  target: string;
  /** The proxy's whole address, null for the direct way. */
  proxy: string | null;
}

/** Every service that the config uses, with its way. Pure but for what the environment says of proxies. */
export function ways({ loaded: { config }, env, network }: Examination): Way[] {
  const { whatsapp, wati } = config.channels_config;
  const targets: [service: string, target: string | undefined][] = [];
  const selection = selectBackend(whatsapp, { whatsappWeb: buildInfo.variant === "whatsapp-web" });
  if (whatsapp && selection.kind === "run") {
    const web = whatsapp.ws_url?.replace(/^ws/, "http") ?? "https://web.whatsapp.com";
    targets.push(["channel.whatsapp", selection.backend === "web" ? web : whatsapp.api_base_url]);
  }
  if (wati) targets.push(["channel.wati", wati.api_url]);
  if (config.agent?.kind === "webhook") targets.push(["agent.webhook", config.agent.url]);
  if (config.agent?.kind === "model" || (!config.agent && config.default_provider)) {
    // A provider that is none is what the agent's probe reports.
    const provider = attempt(() => chooseProvider(config, { ...env }));
    if (provider) targets.push([`provider.${provider.name}`, provider.baseUrl]);
  }
  targets.push(...speechTargets(config));
  return targets.flatMap(([service, target]) => {
    if (target === undefined || !URL.canParse(target)) return [];
    return [{ service, target, proxy: attempt(() => network.proxyUrlFor(service, target)) }];
  });
}

function speechTargets({ transcription, tts }: Config): [string, string | undefined][] {
  return [
    ...(transcription?.enabled ? [hearingTarget(transcription)] : []),
    ...(tts?.enabled ? [speakingTarget(tts)] : []),
  ];
}

function hearingTarget(config: TranscriptionConfig): [string, string | undefined] {
  const targets: Record<TranscriptionConfig["default_provider"], string | undefined> = {
    groq: config.api_url,
    openai: serviceUrls.openai,
    deepgram: serviceUrls.deepgram,
    assemblyai: serviceUrls.assemblyai,
    google: serviceUrls.googleSpeech,
    local_whisper: config.local_whisper.url,
  };
  return [`transcription.${config.default_provider}`, targets[config.default_provider]];
}

function speakingTarget(config: TtsConfig): [string, string | undefined] {
  const targets: Record<TtsConfig["default_provider"], string | undefined> = {
    openai: serviceUrls.openai,
    elevenlabs: serviceUrls.elevenlabs,
    google: serviceUrls.googleTextToSpeech,
    piper: config.piper.api_url,
    // A program that makes its own connections.
    edge: undefined,
  };
  return [`tts.${config.default_provider}`, targets[config.default_provider]];
}

/** Names that this machine resolves itself; with an http or socks5h proxy the proxy does. `find` is for tests. */
export async function dnsVerdicts(
  examination: Examination,
  find: (host: string) => Promise<unknown> = lookup,
): Promise<Verdict[]> {
  const hosts = new Set<string>();
  for (const { target, proxy } of ways(examination)) {
    const asked = proxy ? parseProxy(proxy) : null;
    if (asked) hosts.add(hostOf(asked.url));
    if (!asked || asked.resolves === "here") hosts.add(hostOf(new URL(target)));
  }
  const names = [...hosts].filter((host) => isIP(host) === 0 && host !== "localhost");
  return Promise.all(names.map((host) => dnsVerdict(host, find)));
}

async function dnsVerdict(
  host: string,
  find: (host: string) => Promise<unknown>,
): Promise<Verdict> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), dnsTimeoutMs);
  const advice = "check the spelling of the address, the network, and /etc/resolv.conf";
  try {
    const found = await Promise.race([find(host), late]);
    return found === "late"
      ? error("DNS", `${host} was not resolved within ${dnsTimeoutMs / 1000} s`, advice)
      : ok("DNS", `${host} has an address`);
  } catch (reason) {
    return error("DNS", `${host} has no address (${networkErrorCode(reason)})`, advice);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does each proxy take connections, and does it lead to its service? Any answer of the service shows that it does; what
 * an HTTP proxy hands on unencrypted may be an answer of its own.
 */
async function proxyVerdicts(examination: Examination, signal: AbortSignal): Promise<Verdict[]> {
  const proxied = ways(examination).filter(({ proxy }) => proxy !== null);
  return Promise.all(proxied.map((way) => proxyVerdict(way, examination, signal)));
}

async function proxyVerdict(
  { service, target, proxy }: Way,
  { network }: Examination,
  signal: AbortSignal,
): Promise<Verdict> {
  const { url, port, label } = parseProxy(proxy ?? "");
  if (!(await listens(hostOf(url), port, signal))) {
    return error("proxy", `${label}, the proxy of ${service}, takes no connection`, "start it");
  }
  const { host, origin, protocol } = new URL(target);
  const mayBeIts = protocol === "http:" && url.protocol.startsWith("http");
  try {
    const response = await network.fetchFor(service)(origin, {
      method: "HEAD",
      redirect: "manual",
      signal,
    });
    const { status } = response;
    await response.body?.cancel().catch(() => {});
    if (!mayBeIts) return ok("proxy", `${service} reaches ${host} through ${label}`);
    return proxyLike(status)
      ? warning(
          "proxy",
          `${service} gets ${status} for ${host} through ${label}, maybe the proxy's own answer: plain http does not tell`,
          "see the proxy's log: user name, password and allowed targets",
        )
      : ok("proxy", `${service} gets an answer (${status}) for ${host} through ${label}`);
  } catch (reason) {
    const code = networkErrorCode(reason);
    return error(
      "proxy",
      `${label} takes connections, but does not lead ${service} to ${host} (${code})`,
      code === "proxy_tls"
        ? "name the root of its certificate in NODE_EXTRA_CA_CERTS, or write http:// if it speaks no TLS"
        : "see its log: user name, password and allowed targets",
    );
  }
}

/** What proxies and captive portals answer in the place of others. */
function proxyLike(status: number): boolean {
  return status === 403 || (status >= 300 && status < 400) || status >= 500;
}

/** Does anything take connections there? */
export function listens(host: string, port: number, signal: AbortSignal): Promise<boolean> {
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

export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}
