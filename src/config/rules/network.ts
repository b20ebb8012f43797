import {
  isWebAddress,
  noWebAddress,
  proxyAddressProblem,
  secureAddressProblem,
} from "../addresses.ts";
import { nearestName } from "../nearest.ts";
import { selects, services } from "../services.ts";
import type { RuleContext } from "./report.ts";

const proxyKeys = ["http_proxy", "https_proxy", "all_proxy"] as const;

export function checkProxy({ config: { proxy }, faulty, error, warn }: RuleContext): void {
  if (!proxy) return;
  const set = proxyKeys.filter((key) => proxy[key] !== undefined);
  for (const key of set) {
    const problem = proxyAddressProblem(proxy[key] ?? "");
    if (problem) error(["proxy", key], problem);
  }
  if (!proxy.enabled) return;
  const anyGiven = set.length > 0 || proxyKeys.some((key) => faulty(["proxy", key]));
  if (!anyGiven && proxy.scope !== "environment" && !faulty(["proxy", "scope"])) {
    error(["proxy", "enabled"], "true needs http_proxy, https_proxy or all_proxy");
  }
  if (proxy.scope !== "services") return;
  if (proxy.services.length === 0) {
    warn(["proxy", "services"], 'empty, so scope = "services" sends nothing through the proxy');
  }
  for (const [index, selector] of proxy.services.entries()) {
    if (services.some((service) => selects(selector, service))) continue;
    const nearest = nearestName(selector.trim(), services);
    const hint = nearest === null ? "" : `; did you mean "${nearest}"?`;
    const message = `names no service, so nothing takes the proxy by it${hint}`;
    warn(["proxy", "services", index], message);
  }
}

/** A tool that cannot be started without a key, or watched by an address that cannot be asked. */
export function checkTunnel({ config: { tunnel }, error }: RuleContext): void {
  if (!tunnel) return;
  const { provider, custom, openvpn } = tunnel;
  if (provider === "custom" && custom.start_command === undefined) {
    error(["tunnel", "custom", "start_command"], 'missing; provider = "custom" needs it');
  }
  const { health_url } = custom;
  if (provider === "custom" && health_url !== undefined && !isWebAddress(health_url)) {
    error(["tunnel", "custom", "health_url"], noWebAddress);
  }
  if (provider === "openvpn" && openvpn.config_file === undefined) {
    error(["tunnel", "openvpn", "config_file"], 'missing; provider = "openvpn" needs it');
  }
}

/** Keys and recordings travel encrypted, or stay on this machine; a server of one's own may be anywhere. */
export function checkSpeech({ config: { transcription, tts }, error }: RuleContext): void {
  if (transcription) {
    const problem = secureAddressProblem(transcription.api_url, "https");
    if (problem) error(["transcription", "api_url"], problem);
    const { url, bearer_token } = transcription.local_whisper;
    const path = ["transcription", "local_whisper", "url"];
    const used = transcription.enabled && transcription.default_provider === "local_whisper";
    const insecure = secureAddressProblem(url ?? "", "https", "bearer_token");
    if (used && url === undefined) {
      error(path, 'missing; default_provider = "local_whisper" needs it');
    } else if (used && !isWebAddress(url ?? "")) error(path, noWebAddress);
    else if (url !== undefined && bearer_token !== undefined && insecure) error(path, insecure);
  }
  if (tts?.enabled && tts.default_provider === "piper" && !isWebAddress(tts.piper.api_url))
    error(["tts", "piper", "api_url"], noWebAddress);
}
