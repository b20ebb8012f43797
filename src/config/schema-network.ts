import * as v from "valibot";
import { means, path, positive, rareTable, secret, text } from "./schema-values.ts";

export const proxySchema = rareTable(() => ({
  enabled: v.optional(means(v.boolean(), "Use the proxies below"), false),
  http_proxy: v.optional(means(secret, "Proxy for http addresses")),
  https_proxy: v.optional(means(secret, "Proxy for https addresses")),
  all_proxy: v.optional(means(secret, "Proxy for what the other two do not cover")),
  no_proxy: v.optional(means(v.array(text), "Hosts reached directly, as in NO_PROXY"), []),
  scope: v.optional(
    means(
      v.picklist(["environment", "revka", "services"]),
      "environment: HTTP_PROXY and friends; revka: everything; services: those listed",
    ),
    "revka",
  ),
  services: v.optional(
    means(v.array(text), 'Selectors such as "channel.whatsapp", "channel.*", "provider.*"'),
    [],
  ),
}));

export const tunnelSchema = rareTable(() => ({
  provider: v.optional(
    means(
      v.picklist(["none", "cloudflare", "tailscale", "ngrok", "openvpn", "pinggy", "custom"]),
      "Tool that makes the gateway public; it runs as a child process",
    ),
    "none",
  ),
  cloudflare: v.optional(
    means(v.object({ token: v.optional(means(secret, "Tunnel token")) }), "cloudflared"),
    {},
  ),
  tailscale: v.optional(
    means(
      v.object({
        funnel: v.optional(
          means(v.boolean(), "Public (Funnel) instead of the tailnet only"),
          false,
        ),
        hostname: v.optional(means(text, "Name of this machine in the tailnet")),
      }),
      "Tailscale",
    ),
    {},
  ),
  ngrok: v.optional(
    means(
      v.object({
        auth_token: v.optional(means(secret, "Auth token")),
        domain: v.optional(means(text, "Reserved domain")),
      }),
      "ngrok",
    ),
    {},
  ),
  openvpn: v.optional(
    means(
      v.object({
        config_file: v.optional(means(path, "Client configuration (.ovpn)")),
        auth_file: v.optional(means(path, "File with user name and password")),
        advertise_address: v.optional(means(text, "Address under which the gateway is reached")),
        connect_timeout_secs: v.optional(means(positive, "Seconds to wait for the connection"), 30),
      }),
      "OpenVPN",
    ),
    {},
  ),
  pinggy: v.optional(
    means(
      v.object({
        token: v.optional(means(secret, "Access token")),
        region: v.optional(means(text, "Region of the server")),
      }),
      "Pinggy",
    ),
    {},
  ),
  custom: v.optional(
    means(
      v.object({
        start_command: v.optional(means(text, "Command line with {host} and {port}")),
        health_url: v.optional(means(text, "Address that answers while the tunnel works")),
        url_pattern: v.optional(means(text, "What the public address in its output begins with")),
      }),
      "Any other tool",
    ),
    {},
  ),
}));
