import type { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { GatewayConfig } from "../config/schema.ts";
import { UnusableValues } from "../config/unusable.ts";
import { builtin } from "../runtime/builtin.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorCode } from "../runtime/error-code.ts";
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

const table = ["gateway", "tls"];

/** Throws {@link UnusableValues} that say which file to mend. */
export function readCertificate(files: CertificateFiles): CertificatePair {
  const faults: UnusableValues["faults"] = [];
  const read = (key: "cert" | "key") => {
    try {
      return readFileSync(files[key], "utf8");
    } catch (error) {
      faults.push({ path: [...table, `${key}_path`], message: whyUnread(files[key], error) });
      return "";
    }
  };
  const pair = { cert: read("cert"), key: read("key") };
  if (faults.length === 0) faults.push(...pairFaults(pair, files));
  if (faults.length > 0) throw new UnusableValues(faults);
  return pair;
}

function whyUnread(file: string, error: unknown): string {
  const code = errorCode(error) ?? "unknown";
  switch (code) {
    case "ENOENT":
      return `${file} is not there: name the PEM file`;
    case "EISDIR":
      return `${file} is a folder: name the PEM file`;
    case "EACCES":
    case "EPERM":
      return `this account may not read ${file}: let it, or name a copy that it may read`;
    default:
      return `${file} cannot be read (${code}): name a PEM file that can`;
  }
}

function pairFaults(pair: CertificatePair, files: CertificateFiles): UnusableValues["faults"] {
  const fault = (key: "cert" | "key", message: string) => [
    { path: [...table, `${key}_path`], message },
  ];
  let certificate: X509Certificate;
  try {
    certificate = new (builtin.crypto().X509Certificate)(pair.cert);
  } catch {
    return fault("cert", `${files.cert} holds no certificate in PEM`);
  }
  try {
    return certificate.checkPrivateKey(builtin.crypto().createPrivateKey(pair.key))
      ? []
      : fault("key", `the key in ${files.key} does not belong to the certificate in ${files.cert}`);
  } catch {
    return fault("key", `${files.key} holds no private key in PEM, or one with a passphrase`);
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
