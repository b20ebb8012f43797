import { proxyAddressProblem, secureAddressProblem } from "../addresses.ts";
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

/** A tool that cannot be started without it. */
export function checkTunnel({ config: { tunnel }, error }: RuleContext): void {
  if (!tunnel) return;
  const { provider, custom, openvpn } = tunnel;
  if (provider === "custom" && custom.start_command === undefined) {
    error(["tunnel", "custom", "start_command"], 'missing; provider = "custom" needs it');
  }
  if (provider === "openvpn" && openvpn.config_file === undefined) {
    error(["tunnel", "openvpn", "config_file"], 'missing; provider = "openvpn" needs it');
  }
}

/** Keys and recordings travel encrypted, or stay on this machine. */
export function checkSpeech({ config: { transcription }, error }: RuleContext): void {
  if (!transcription) return;
  const problem = secureAddressProblem(transcription.api_url, "https");
  if (problem) error(["transcription", "api_url"], problem);
  const local = transcription.local_whisper;
  if (local.url !== undefined && local.bearer_token !== undefined) {
    const insecure = secureAddressProblem(local.url, "https");
    if (insecure)
      error(["transcription", "local_whisper", "url"], `${insecure} when bearer_token is set`);
  }
  const usesLocal = transcription.enabled && transcription.default_provider === "local_whisper";
  if (usesLocal && local.url === undefined) {
    error(
      ["transcription", "local_whisper", "url"],
      'missing; default_provider = "local_whisper" needs it',
    );
  }
}
