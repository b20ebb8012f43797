import { isLoopbackHost, secureAddressProblem } from "../addresses.ts";
import type { RuleContext } from "./report.ts";

/** A public listener is asked for in so many words, and TLS has its files. */
export function checkGateway({ config: { gateway }, faulty, error }: RuleContext): void {
  const mayBePublic = gateway.allow_public_bind || faulty(["gateway", "allow_public_bind"]);
  if (!isLoopbackHost(gateway.host) && !mayBePublic) {
    error(
      ["gateway", "host"],
      "is not a loopback address; set allow_public_bind = true in [gateway] to listen there",
    );
  }
  if (gateway.public_url !== undefined) {
    const problem = secureAddressProblem(gateway.public_url, "https");
    if (problem) error(["gateway", "public_url"], problem);
  }
  if (!gateway.tls.enabled) return;
  for (const key of ["cert_path", "key_path"] as const) {
    if (gateway.tls[key] === undefined) {
      error(["gateway", "tls", key], "missing; [gateway.tls] enabled = true needs it");
    }
  }
}
