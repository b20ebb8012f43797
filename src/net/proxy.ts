import type { Config, ProxyConfig } from "../config/schema.ts";
import { selects } from "../config/services.ts";
import { matchesNoProxy } from "./no-proxy.ts";

/** A proxy as configured, ready to dial. `url` holds its credentials: never log it, log {@link Proxy.label}. */
export interface Proxy {
  url: URL;
  port: number;
  /** How names of targets are resolved: `here` only for socks5 (and its alias socks). */
  resolves: "here" | "proxy";
  /** Scheme, host and port: fit for a log. */
  label: string;
}

/** A proxy is configured, but it cannot be used: the request must fail, not go out directly. */
export class UnusableProxy extends Error {
  override readonly name = "UnusableProxy";
  readonly code = "proxy_unusable";
}

/** The names under which a process gets its proxies from outside (curl's conventions; lower case wins). */
export const proxyVariables = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] as const;

export interface ProxyOptions {
  /** `[proxy]`, where there is one. */
  proxy: ProxyConfig | undefined;
  /** `proxy_url` of the channels. */
  channels: { whatsapp: string | undefined; wati: string | undefined };
  env: Readonly<Record<string, string | undefined>>;
}

/** Picks out of a configuration what decides about proxies. */
export function proxyOptions(config: Config, env: ProxyOptions["env"]): ProxyOptions {
  return {
    proxy: config.proxy,
    channels: {
      whatsapp: config.channels_config.whatsapp?.proxy_url,
      wati: config.channels_config.wati?.proxy_url,
    },
    env,
  };
}

/**
 * Which proxy does a request of this service take? null is the direct way.
 *
 * - `proxy_url` of the channel wins over all and is never by-passed: no list of exceptions, no loopback, applies to it.
 * - `[proxy]` with scope `revka` is for everything, with `services` for the services its selectors name, with
 *   `environment` for everything, by the variables HTTP_PROXY and friends where the table itself names no proxy.
 *   `no_proxy` (with scope `environment` also NO_PROXY) names what goes out directly. Loopback is no exception by
 *   itself, as in curl: name it in `no_proxy`.
 * - With `[proxy]` off, the environment does not count.
 *
 * `service` is a name such as `channel.whatsapp`, `provider.openai`, `transcription.groq`, `tts.piper`. Throws
 * {@link UnusableProxy} where the proxy is meant but cannot be used. Pure.
 */
export function proxyFor(service: string, url: URL, options: ProxyOptions): Proxy | null {
  const own = channelProxy(service, options);
  if (own) return parseProxy(own);

  const table = options.proxy;
  if (!table?.enabled) return null;
  if (table.scope === "services" && !table.services.some((it) => selects(it, service))) return null;

  const variables = table.scope === "environment" ? environment(options.env) : {};
  const exceptions = [...table.no_proxy, variables.no_proxy ?? ""];
  if (matchesNoProxy(exceptions, url)) return null;

  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const chosen =
    (secure ? filled(table.https_proxy) : filled(table.http_proxy)) ??
    filled(table.all_proxy) ??
    (secure ? variables.https_proxy : variables.http_proxy) ??
    variables.all_proxy;
  if (chosen !== undefined) return parseProxy(chosen);

  const other = filled(secure ? table.http_proxy : table.https_proxy);
  if (other !== undefined || table.scope === "environment") return null;
  throw new UnusableProxy(
    "[proxy] is enabled but names no proxy: set http_proxy, https_proxy or all_proxy",
  );
}

/** Reads `http`, `https`, `socks5`, `socks5h` or `socks` addresses; without a scheme it is http, as in curl. */
export function parseProxy(address: string): Proxy {
  const spelled = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
  const url = URL.canParse(spelled) ? new URL(spelled) : null;
  if (!url?.hostname)
    throw new UnusableProxy("a proxy address is malformed: expected scheme://host:port");
  const scheme = url.protocol.slice(0, -1);
  if (!["http", "https", "socks5", "socks5h", "socks"].includes(scheme)) {
    throw new UnusableProxy(
      `a proxy of scheme "${scheme}" is not supported: use http, https, socks5 or socks5h`,
    );
  }
  const socks = scheme.startsWith("socks");
  const port = Number(url.port || (socks ? 1080 : scheme === "https" ? 443 : 80));
  return {
    url,
    port,
    resolves: scheme === "socks5" || scheme === "socks" ? "here" : "proxy",
    label: `${scheme}://${url.hostname}:${port}`,
  };
}

function channelProxy(service: string, options: ProxyOptions): string | undefined {
  const channel = /^channel\.(whatsapp|wati)(?:$|\.)/.exec(service)?.[1];
  if (channel === "whatsapp") return filled(options.channels.whatsapp);
  return channel === "wati" ? filled(options.channels.wati) : undefined;
}

type Environment = Partial<Record<(typeof proxyVariables)[number], string>>;

function environment(env: ProxyOptions["env"]): Environment {
  const found: Environment = {};
  for (const name of proxyVariables) {
    const value = filled(env[name]) ?? filled(env[name.toUpperCase()]);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function filled(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed ? trimmed : undefined;
}
