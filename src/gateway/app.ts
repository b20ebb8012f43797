import type { Channel } from "../channels/channel.ts";
import { isLoopbackHost } from "../config/addresses.ts";
import { equalInConstantTime } from "../net/constant-time.ts";
import { pathBelow, Routes } from "../net/routes.ts";
import { errorLine } from "../telemetry/fields.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Health } from "./health.ts";

export interface GatewayOptions {
  pathPrefix: string;
  channels: Channel[];
  metricsToken: string | null;
  health(): Promise<Health>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  log: Logger;
}

export interface PeerBindings {
  Bindings: { peer(): string | null };
}

export interface Gateway {
  fetch(request: Request, bindings: PeerBindings["Bindings"]): Promise<Response>;
}

/** Every route of the daemon under the prefix: those of the channels, `/health` and `/metrics`. */
export function gatewayApp(options: GatewayOptions): Gateway {
  const app = routesOf(options);
  // Around the routes and not as a middleware: a route without one is called at once, which each webhook is spared.
  return { fetch: async (request, bindings) => secured(await app.fetch(request, bindings)) };
}

function secured(response: Response): Response {
  const { headers } = response;
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Cache-Control", "no-store");
  headers.set("Content-Security-Policy", "default-src 'none'");
  headers.set("Referrer-Policy", "no-referrer");
  return response;
}

function routesOf(options: GatewayOptions): Routes<PeerBindings> {
  const routes = new Routes<PeerBindings>(pathBelow(options.pathPrefix));
  for (const channel of options.channels) {
    if (channel.routes) routes.route("/", channel.routes);
  }
  routes.get("/health", async (context) => {
    const health = await options.health();
    return context.json(health, health.status === "ok" ? 200 : 503);
  });
  routes.get("/metrics", async (context) => {
    if (!mayReadMetrics(context.req.raw, context.env.peer(), options)) {
      return context.json({ error: "metrics are for this machine or the metrics token" }, 401);
    }
    return context.text(await options.metrics(), 200, {
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });
  for (const path of ["/health", "/metrics"]) {
    routes.all(path, (context) =>
      context.json({ error: "method not allowed" }, 405, { Allow: "GET, HEAD" }),
    );
  }
  routes.notFound((context) => context.json({ error: "not found" }, 404));
  routes.onError((error, context) => {
    options.log.error({ path: context.req.path, error: errorLine(error) }, "a request failed here");
    return context.json({ error: "internal error" }, 500);
  });
  return routes;
}

/** What a tunnel or reverse proxy of this machine adds: behind it may be anybody. */
const forwarding = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** Whoever carries the token may, and programs of this machine that ask it by a loopback name. */
function mayReadMetrics(request: Request, peer: string | null, options: GatewayOptions): boolean {
  const { metricsToken } = options;
  // Handed out as Latin-1, a letter for each byte that was sent.
  const authorization = Buffer.from(request.headers.get("authorization") ?? "", "latin1");
  if (metricsToken && equalInConstantTime(authorization, `Bearer ${metricsToken}`)) return true;
  if (peer === null || !isLoopbackHost(peer.replace(/^::ffff:/, ""))) return false;
  if (forwarding.some((name) => request.headers.has(name))) return false;
  // Bun passes on what a client writes as its `Host`, be it no address.
  return isLoopbackHost(URL.parse(request.url)?.hostname ?? "");
}

/** The port is taken before the channels run, so that a port in use is known before anything happens. */
export function stillStarting(): Response {
  const headers = { "Retry-After": "1" };
  return secured(Response.json({ error: "the daemon is starting" }, { status: 503, headers }));
}
