import type { Dispatcher } from "undici";
import { connectToProxy, dial, loginRefused, proxyAuthorization, ProxyFailure } from "./dial.ts";
import type { Fetch } from "./fetch.ts";
import { bareHost, defaultPort } from "./no-proxy.ts";
import type { Proxy } from "./proxy.ts";
import { loadUndici, type Undici } from "./undici.ts";

/** A fetch with a route of its own, and its connections. */
export interface DispatchedFetch {
  fetch: Fetch;
  close(): Promise<void>;
}

export interface DispatchOptions {
  /** Roots beside the system's (PEM), for proxy and target alike. */
  ca?: string[];
  /** Resolves names for socks5 proxies. */
  resolve?: (host: string) => Promise<string>;
}

type Connector = ReturnType<Undici["buildConnector"]>;

/**
 * A fetch that takes this proxy for everything, redirects included; null takes none, whatever the environment says.
 *
 * It is undici's: the fetch of Bun lets NO_PROXY by-pass even a proxy given for one request, and knows no SOCKS. It
 * reads no environment.
 */
export async function createDispatchedFetch(
  proxy: Proxy | null,
  options: DispatchOptions = {},
): Promise<DispatchedFetch> {
  const undici = await loadUndici();
  const dispatcher = createDispatcher(undici, proxy, options);
  return {
    async fetch(url, init = {}) {
      const { body, ...rest } = init;
      const request: Record<string, unknown> = { ...rest, dispatcher };
      if (body instanceof FormData) request["body"] = copyForm(undici, body);
      else if (body !== undefined) request["body"] = body;
      if (body instanceof ReadableStream) request["duplex"] = "half";
      try {
        const answer = await undici.fetch(url, request);
        // The same streams under two declarations: asking at run time is what both agree on.
        const stream: unknown = answer.body;
        return new Response(stream instanceof ReadableStream ? stream : null, {
          status: answer.status,
          statusText: answer.statusText,
          headers: [...answer.headers],
        });
      } catch (error) {
        throw proxyFailure(error) ?? error;
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/** Who asks says how long: undici's own five minutes would cut off an agent or a transcription that may take more. */
const patience = { headersTimeout: 0, bodyTimeout: 0 };

function createDispatcher(
  undici: Undici,
  proxy: Proxy | null,
  options: DispatchOptions,
): Dispatcher {
  const secured = undici.buildConnector({
    ...(options.ca ? { ca: options.ca } : {}),
    allowH2: false,
  });
  if (!proxy) return new undici.Agent({ ...patience, connect: secured });
  const connect = connectThrough(proxy, secured, options);
  const agent = new undici.Agent({ ...patience, connect });
  return forwardsPlainly(proxy) ? agent.compose(forwardPlainRequests(proxy)) : agent;
}

/** HTTP proxies take plain requests as they are and tunnel only TLS; SOCKS proxies tunnel everything. */
function forwardsPlainly(proxy: Proxy): boolean {
  return !proxy.url.protocol.startsWith("socks");
}

function connectThrough(proxy: Proxy, secured: Connector, options: DispatchOptions): Connector {
  return (target, callback) => {
    const secure = target.protocol === "https:";
    const opened =
      !secure && forwardsPlainly(proxy)
        ? connectToProxy({ ...options, proxy })
        : dial({
            ...options,
            proxy,
            host: bareHost(target.hostname),
            port: Number(target.port || defaultPort(target.protocol)),
          });
    opened.then(
      (socket) => {
        if (secure) secured({ ...target, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error("proxy"), null),
    );
  };
}

/** Spells the target in the request line and logs in at the proxy (RFC 9112, section 3.2.2). */
function forwardPlainRequests(proxy: Proxy): Dispatcher.DispatcherComposeInterceptor {
  const authorization = proxyAuthorization(proxy.url);
  return (dispatch) => (request, handler) => {
    const origin = String(request.origin ?? "");
    if (!origin.startsWith("http:")) return dispatch(request, handler);
    const given = request.headers ?? [];
    const headers = Array.isArray(given) ? [...given] : Object.entries(given).flat();
    if (authorization) headers.push("proxy-authorization", authorization);
    // Joined as text: a path that begins with "//" would be resolved as another host.
    const path = new URL(origin).origin + request.path;
    return dispatch({ ...request, path, headers }, refuseLogin(proxy, handler));
  };
}

/** Ends a request that the proxy answers with 407: fetch by itself would give it no name. */
function refuseLogin(
  proxy: Proxy,
  handler: Dispatcher.DispatchHandler,
): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
    onResponseStart(controller, status, headers, reason) {
      if (status === 407) controller.abort(loginRefused(proxy));
      else handler.onResponseStart?.(controller, status, headers, reason);
    },
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  };
}

/** undici takes only forms of its own; a foreign one would be sent as the text "[object FormData]". */
function copyForm(undici: Undici, form: FormData) {
  const copy = new undici.FormData();
  for (const [name, value] of form) {
    if (typeof value === "string") copy.append(name, value);
    else copy.append(name, value, value.name);
  }
  return copy;
}

/** The error of a proxy inside the ones that fetch wraps it in. */
function proxyFailure(error: unknown): ProxyFailure | null {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    if (current instanceof ProxyFailure) return current;
    current = current.cause;
  }
  return null;
}
