import { readFileSync, statSync } from "node:fs";
import type { GatewayConfig } from "../config/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { serve, type Server } from "../runtime/serve.ts";
import type { Logger } from "../telemetry/log.ts";

/** Webhook bodies are limited to 4 MiB by their routes; the server itself cuts off a little above. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** A client that sends nothing for so long is let go, seconds. */
const IDLE_TIMEOUT_SECS = 20;
/** How often a changed certificate is looked for, ms. */
const CERTIFICATE_CHECK = 30_000;

export interface Listener {
  /** Such as `http://127.0.0.1:42617`. */
  address: string;
  port: number;
  stop(force: boolean): Promise<void>;
}

/** Opens the gateway's port. Throws an error that says what to do when it cannot. */
export function listen(options: {
  config: GatewayConfig;
  handle(request: Request, peer: string | null): Response | Promise<Response>;
  clock: Clock;
  log: Logger;
}): Listener {
  const { config, clock, log } = options;
  const files = config.tls.enabled ? certificateFiles(config.tls) : null;
  let server: Server;
  try {
    server = serve({
      listen: { hostname: config.host, port: config.port },
      ...(files ? { tls: readCertificate(files) } : {}),
      maxBodyBytes: MAX_BODY_BYTES,
      idleTimeoutSecs: IDLE_TIMEOUT_SECS,
      handle: options.handle,
    });
  } catch (error) {
    throw new Error(whyNot(error, config));
  }
  const stopWatching = files ? watchCertificate(files, server, clock, log) : () => {};
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return {
    address: `${files ? "https" : "http"}://${host}:${server.port}`,
    port: server.port,
    stop: (force) => {
      stopWatching();
      return server.stop(force);
    },
  };
}

interface CertificateFiles {
  cert: string;
  key: string;
}

function certificateFiles(tls: GatewayConfig["tls"]): CertificateFiles {
  return { cert: tls.cert_path ?? "", key: tls.key_path ?? "" };
}

function readCertificate(files: CertificateFiles): { cert: string; key: string } {
  return { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
}

/** Renewed certificates are taken up without a restart. A pair that cannot be read leaves the old one in use. */
function watchCertificate(
  files: CertificateFiles,
  server: Server,
  clock: Clock,
  log: Logger,
): () => void {
  let seen = stamp(files);
  let cancel = () => {};
  const check = () => {
    const now = stamp(files);
    if (now !== seen && now !== null) {
      try {
        server.reload(readCertificate(files));
        seen = now;
        log.info({ cert: files.cert }, "took up the renewed certificate");
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown";
        log.warn({ cert: files.cert, reason }, "the renewed certificate cannot be used");
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

function whyNot(error: unknown, config: GatewayConfig): string {
  const place = `${config.host}:${config.port}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (code === "EADDRINUSE") {
    return `cannot listen on ${place}: the port is in use. Is another Revka running? Stop it, or set [gateway] port.`;
  }
  if (code === "EACCES") {
    return `cannot listen on ${place}: not permitted. Ports under 1024 need a privilege; set [gateway] port.`;
  }
  if (code === "ENOENT" && config.tls.enabled) {
    return `cannot read the certificate: ${message}. Check [gateway.tls] cert_path and key_path.`;
  }
  return `cannot listen on ${place}: ${message}. Check [gateway] host and port.`;
}
