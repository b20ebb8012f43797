/** The HTTP server seam: one small shape over `Bun.serve` and `Deno.serve`. */

export interface ServeOptions {
  /** A TCP address, or the path of a Unix socket. */
  listen: { hostname: string; port: number } | { unix: string };
  tls?: { cert: string; key: string };
  /** A request body longer than this is cut off by the server itself, bytes. */
  maxBodyBytes: number;
  /** A connection that says nothing for so long is closed, seconds. */
  idleTimeoutSecs: number;
  /** `peer` asks the system for the address of the other end; null on a Unix socket. Must not throw. */
  handle(request: Request, peer: () => string | null): Response | Promise<Response>;
}

export interface Server {
  /** The port in use; 0 on a Unix socket. */
  port: number;
  /**
   * Presents another certificate to new connections; requests under way are answered. Throws where the pair cannot be
   * used, which leaves the old one in use.
   */
  reload(tls: { cert: string; key: string }): void;
  /** Takes no new connections; with `force`, also ends those that are open. */
  stop(force: boolean): Promise<void>;
}

interface DenoServer {
  addr: { port?: number };
  shutdown(): Promise<void>;
}

interface DenoRuntime {
  serve(
    options: Record<string, unknown>,
    handler: (
      request: Request,
      info: { remoteAddr: { hostname?: string } },
    ) => Response | Promise<Response>,
  ): DenoServer;
}

/** Listens. Throws what the system says, `EADDRINUSE` and `EACCES` among them. */
export function serve(options: ServeOptions): Server {
  if (typeof Bun !== "undefined") return serveWithBun(options);
  const deno: unknown = Reflect.get(globalThis, "Deno");
  if (isDeno(deno)) return serveWithDeno(deno, options);
  throw new Error("Revka runs on Bun or Deno");
}

function isDeno(value: unknown): value is DenoRuntime {
  return typeof value === "object" && value !== null && "serve" in value;
}

function serveWithBun(options: ServeOptions): Server {
  const common = {
    development: false,
    maxRequestBodySize: options.maxBodyBytes,
    fetch: (request: Request, server: Bun.Server<undefined>) =>
      options.handle(withAddress(request), () => server.requestIP(request)?.address ?? null),
    error: () => Response.json({ error: "internal error" }, { status: 500 }),
  };
  if ("unix" in options.listen) {
    // The types know it for TCP alone; without it, the runtime hangs up after ten seconds.
    const idle: object = { idleTimeout: options.idleTimeoutSecs };
    const server = Bun.serve({ ...common, ...idle, unix: options.listen.unix });
    return { port: 0, reload: () => {}, stop: (force) => server.stop(force) };
  }
  const { hostname, port } = options.listen;
  const open = (at: number, tls: ServeOptions["tls"]) =>
    Bun.serve({
      ...common,
      hostname,
      port: at,
      // Without it, Bun 1.4.5 lets a second process listen on the same port and share the connections.
      reusePort: false,
      idleTimeout: options.idleTimeoutSecs,
      ...(tls ? { tls } : {}),
    });
  let server = open(port, options.tls);
  const taken = server.port ?? 0;
  const retired = new Set<Bun.Server<undefined>>();
  return {
    port: taken,
    // `Bun.Server.reload` keeps the first certificate, so another server takes the port over.
    reload(tls) {
      void open(0, tls).stop(true);
      const old = server;
      retired.add(old);
      void old.stop(false).finally(() => retired.delete(old));
      server = open(taken, tls);
    },
    async stop(force) {
      await Promise.all([...retired, server].map((one) => one.stop(force)));
    },
  };
}

/**
 * Without a `Host` that is a name (HTTP/1.0, as health checks of load balancers speak it, sends none) Bun gives the path
 * alone, which is no address; the name put in its place is nobody's (RFC 6761).
 */
function withAddress(request: Request): Request {
  return request.url.startsWith("/")
    ? new Request(`http://nameless.invalid${request.url}`, request)
    : request;
}

function serveWithDeno(deno: DenoRuntime, options: ServeOptions): Server {
  const listen = "unix" in options.listen ? { path: options.listen.unix } : options.listen;
  const server = deno.serve(
    { ...listen, ...(options.tls ?? {}), onListen: () => {} },
    (request, info) => options.handle(request, () => info.remoteAddr.hostname ?? null),
  );
  return {
    port: server.addr.port ?? 0,
    reload: () => {
      throw new Error("this runtime takes up a certificate at a restart only");
    },
    stop: () => server.shutdown(),
  };
}
