import { X509Certificate } from "node:crypto";
import { certificateFiles, readCertificate } from "../../gateway/certificate.ts";
import { error, ok, warning, type Probe, type Verdict } from "./probe.ts";

const day = 86_400_000;
const name = "certificate";
/** Let's Encrypt renews 30 days ahead: later than this, something keeps it from that. */
const soon = 14 * day;

/** The gateway's own certificate, which the daemon does not start without. */
export const certificateProbe: Probe = {
  group: "gateway",
  name,
  run({ loaded, clock }) {
    const files = certificateFiles(loaded.config.gateway.tls);
    if (!files) return [];
    try {
      return [validityVerdict(readCertificate(files).cert, clock.now())];
    } catch (reason) {
      const message = reason instanceof Error ? reason.message : "cannot be used";
      return [error(name, message, "mend that: the daemon does not start before")];
    }
  },
};

/** `pem` is one that can be read; `now` is Unix time, ms. */
export function validityVerdict(pem: string, now: number): Verdict {
  const ends = new Date(new X509Certificate(pem).validTo);
  const date = ends.toISOString().slice(0, 10);
  if (ends.getTime() < now) {
    return error(name, `expired on ${date}, so Meta and WATI refuse it`, "renew it");
  }
  return ends.getTime() - now < soon
    ? warning(name, `expires on ${date}`, "renew it; the daemon takes up the new one by itself")
    : ok(name, `is valid until ${date}`);
}
