import { proxyAddressProblem, secureAddressProblem } from "../addresses.ts";
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
  if (proxy.scope === "services" && proxy.services.length === 0) {
    warn(["proxy", "services"], 'empty, so scope = "services" sends nothing through the proxy');
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
