import type { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { GatewayConfig } from "../config/schema.ts";
import { builtin } from "../runtime/builtin.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** How often a changed certificate is looked for, ms. */
const CERTIFICATE_CHECK = 30_000;

export interface CertificateFiles {
  cert: string;
  key: string;
}

/** The text of both files, PEM. */
export interface CertificatePair {
  cert: string;
  key: string;
}

/** The files of `[gateway.tls]`, null where it is off. */
export function certificateFiles(tls: GatewayConfig["tls"]): CertificateFiles | null {
  return tls.enabled ? { cert: tls.cert_path ?? "", key: tls.key_path ?? "" } : null;
}

/** Throws an error that says which file to mend. */
export function readCertificate(files: CertificateFiles): CertificatePair {
  const read = (key: "cert" | "key") => {
    try {
      return readFileSync(files[key], "utf8");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      throw new Error(`cannot read ${files[key]} (${code}): see [gateway.tls] ${key}_path`);
    }
  };
  const pair = { cert: read("cert"), key: read("key") };
  const problem = pairProblem(pair);
  if (problem) throw new Error(`${problem}: see [gateway.tls] cert_path and key_path`);
  return pair;
}

/** What is wrong with a certificate and its key, both PEM, or null. */
export function pairProblem(pair: CertificatePair): string | null {
  let certificate: X509Certificate;
  try {
    certificate = new (builtin.crypto().X509Certificate)(pair.cert);
  } catch {
    return "the certificate is not PEM";
  }
  try {
    return certificate.checkPrivateKey(builtin.crypto().createPrivateKey(pair.key))
      ? null
      : "the key does not belong to the certificate";
  } catch {
    return "the key is not PEM, or has a passphrase";
  }
}

/** Renewed certificates are taken up without a restart. A pair that cannot be read leaves the old one in use. */
export function watchCertificate(
  files: CertificateFiles,
  present: (pair: CertificatePair) => void,
  clock: Clock,
  log: Logger,
): () => void {
  let seen = stamp(files);
  let complainedOf: string | null = null;
  let cancel = () => {};
  const check = () => {
    const now = stamp(files);
    if (now !== null && now !== seen) {
      try {
        present(readCertificate(files));
        seen = now;
        log.info({ cert: files.cert }, "took up the renewed certificate");
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        // Tried each time, said once.
        if (now !== complainedOf)
          log.warn({ cert: files.cert, reason }, "the renewed certificate cannot be used");
        complainedOf = now;
      }
    }
    cancel = clock.after(CERTIFICATE_CHECK, check);
  };
  cancel = clock.after(CERTIFICATE_CHECK, check);
  return () => cancel();
}

function stamp(files: CertificateFiles): string | null {
  try {
    return [files.cert, files.key].map((file) => statSync(file).mtimeMs).join();
  } catch {
    return null;
  }
}
