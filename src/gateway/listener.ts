import type { GatewayConfig } from "../config/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { serve, type Server } from "../runtime/serve.ts";
import type { Logger } from "../telemetry/log.ts";

/**
 * No limit of the server's: it would end the connection without the JSON that says why. The webhooks' routes limit what
 * they read to 4 MiB, no other route reads a body, and what nobody reads is not kept.
 */
const MAX_BODY_BYTES = Number.MAX_SAFE_INTEGER;
/** A client that sends nothing for so long is let go, seconds. */
const IDLE_TIMEOUT_SECS = 20;

export interface Listener {
  /** Such as `http://127.0.0.1:42617`. */
  address: string;
  port: number;
  stop(force: boolean): Promise<void>;
}

/** Opens the gateway's port. Rejects with an error that says what to do when it cannot. */
export async function listen(options: {
  config: GatewayConfig;
  handle(request: Request, peer: () => string | null): Response | Promise<Response>;
  clock: Clock;
  log: Logger;
}): Promise<Listener> {
  const { config, clock, log } = options;
  const certificate = config.tls.enabled ? await import("./certificate.ts") : null;
  const files = certificate?.certificateFiles(config.tls);
  const tls = files && certificate?.readCertificate(files);
  let server: Server;
  try {
    server = serve({
      listen: { hostname: config.host, port: config.port },
      ...(tls ? { tls } : {}),
      maxBodyBytes: MAX_BODY_BYTES,
      idleTimeoutSecs: IDLE_TIMEOUT_SECS,
      handle: options.handle,
    });
  } catch (error) {
    throw new Error(whyNot(error, config));
  }
  const stopWatching = files
    ? certificate?.watchCertificate(files, (pair) => server.reload(pair), clock, log)
    : undefined;
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return {
    address: `${files ? "https" : "http"}://${host}:${server.port}`,
    port: server.port,
    stop: (force) => {
      stopWatching?.();
      return server.stop(force);
    },
  };
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
  // Of a name that leads nowhere Bun tells whatever error came last.
  if (["EADDRNOTAVAIL", "ENOENT", "ENOTFOUND"].includes(String(code))) {
    return `cannot listen on ${place}: this machine has no such address. Set [gateway] host to one of its own.`;
  }
  return `cannot listen on ${place}: ${message}. Check [gateway] host and port.`;
}
