import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findExecutable } from "../../../src/runtime/executable.ts";
import { temporaryFolder } from "../../support/store.ts";

/** Why no certificate can be made on this machine; null where it can. */
export const noCertificates: string | null =
  findExecutable("openssl", process.env["PATH"]) === null ? "not installed: openssl" : null;

/** A self-signed certificate for these names, its own authority, good for a day. */
export function certificateFor(names: string[]): { cert: string; key: string } {
  const folder = temporaryFolder();
  const [cert, key] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  const alternatives = names.map((name) => `DNS:${name}`).join(",");
  try {
    const done = spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-days", "1", "-subj", "/CN=revka test", "-addext", `subjectAltName=${alternatives}`],
      ...["-keyout", key, "-out", cert],
    ]);
    if (done.status !== 0) throw new Error(`openssl: ${done.stderr.toString("utf8")}`);
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    folder.remove();
  }
}
