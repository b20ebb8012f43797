import type { Config } from "../config/schema.ts";
import { lazyFetch } from "../runtime/lazy-fetch.ts";
import { onceLoaded } from "../runtime/once.ts";
import type { Logger } from "../telemetry/log.ts";
import type { DispatchedFetch, DispatchOptions } from "./dispatched-fetch.ts";
import { proxyFor, proxyOptions, proxyVariables, type Proxy, type ProxyOptions } from "./proxy.ts";

/**
 * The one fetch of outbound calls: direct, or bound to a proxy that it never by-passes. What cannot be asked for, such
 * as an address that is none, is a rejected promise too, and never thrown.
 */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Every outbound request of the daemon starts here. */
export interface Network {
  /**
   * The fetch of one service (`channel.whatsapp`, `channel.wati`, `provider.…`, `transcription.…`, `tts.…`). Where a
   * proxy is meant but cannot be used, its promises reject; they never go out directly instead. A request that goes
   * out directly only by `no_proxy` does not follow redirects: they might lead past the proxy. Answers are asked for
   * uncompressed, since what a few bytes unpack to has no limit; what is not read of one is not unpacked.
   */
  fetchFor(service: string): Fetch;
  /**
   * The proxy a request of the service takes, as configured, credentials included (keep it out of logs); null for
   * the direct way. Throws {@link UnusableProxy}.
   */
  proxyUrlFor(service: string, url: string | URL): string | null;
  /** Drops every connection held open for proxies. */
  close(): Promise<void>;
}

export interface NetworkOptions extends DispatchOptions {
  config: Config;
  /** The environment of the process: what it says counts only with `[proxy] scope = "environment"`. */
  env: Readonly<Record<string, string | undefined>>;
  log: Logger;
}

/**
 * Binds services to their way out, by {@link proxyFor}. Nothing is connected or loaded before it is needed: without
 * proxies, requests are those of the runtime's own fetch.
 */
export function createNetwork(options: NetworkOptions): Network {
  const decision = proxyOptions(options.config, { ...options.env });
  const routes = new Map<string, () => Promise<DispatchedFetch>>();
  const announced = new Set<string>();

  const route = (proxy: Proxy | null): Promise<DispatchedFetch> => {
    const key = proxy?.url.href ?? "";
    let made = routes.get(key);
    if (!made) {
      made = onceLoaded(async () => {
        const { createDispatchedFetch } = await import("./dispatched-fetch.ts");
        return createDispatchedFetch(proxy, options);
      });
      routes.set(key, made);
    }
    return made();
  };

  // The runtime's fetch obeys HTTP_PROXY by itself; where that is set, the direct way needs a fetch that does not.
  const heedsEnvironment = proxyVariables.some(
    (name) => name !== "no_proxy" && (decision.env[name] || decision.env[name.toUpperCase()]),
  );

  const send = async (service: string, target: URL, init: RequestInit): Promise<Response> => {
    const proxy = proxyFor(service, target, decision);
    if (proxy) {
      if (!announced.has(service)) {
        announced.add(service);
        options.log.info({ service, proxy: proxy.label }, "requests take a proxy");
      }
      return (await route(proxy)).fetch(target, init);
    }
    const strict = init.redirect !== "manual" && isProxiedElsewhere(service, decision);
    const safe: RequestInit = strict ? { ...init, redirect: "error" } : init;
    return heedsEnvironment ? (await route(null)).fetch(target, safe) : lazyFetch(target, safe);
  };

  return {
    fetchFor: (service) => async (url, init) => {
      const headers = new Headers(init?.headers);
      headers.set("accept-encoding", "identity");
      return send(service, new URL(url), { ...init, headers });
    },
    proxyUrlFor: (service, url) => proxyFor(service, new URL(url), decision)?.url.href ?? null,
    async close() {
      const made = [...routes.values()];
      routes.clear();
      await Promise.allSettled(made.map(async (it) => (await it()).close()));
    },
  };
}

/** Would another address of the service take a proxy? Then a direct answer must not lead there. */
function isProxiedElsewhere(service: string, decision: ProxyOptions): boolean {
  const { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, all_proxy, ALL_PROXY } = decision.env;
  const env = { http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, all_proxy, ALL_PROXY };
  const proxy = decision.proxy && { ...decision.proxy, no_proxy: [] };
  const without = { ...decision, proxy, env };
  return ["http://elsewhere.invalid", "https://elsewhere.invalid"].some(
    (url) => proxyFor(service, new URL(url), without) !== null,
  );
}
