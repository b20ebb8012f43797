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
    throw (await import("./listen-failure.ts")).listenFailure(error, config);
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
