import * as v from "valibot";
import {
  boolean,
  key,
  path,
  positive,
  rareTable,
  secret,
  table,
  text,
  texts,
} from "./schema-values.ts";

export const proxySchema = rareTable(() => ({
  enabled: key(boolean, "Use the proxies below", false),
  http_proxy: key(text, "Proxy for http addresses"),
  https_proxy: key(text, "Proxy for https addresses"),
  all_proxy: key(text, "Proxy for what the other two do not cover"),
  no_proxy: key(texts, "Hosts reached directly, as in NO_PROXY", []),
  scope: key(
    v.picklist(["environment", "revka", "services"]),
    "environment: HTTP_PROXY and friends; revka: everything; services: those listed",
    "revka",
  ),
  services: key(texts, 'Selectors such as "channel.whatsapp", "channel.*", "provider.*"', []),
}));

export const tunnelSchema = rareTable(() => ({
  provider: key(
    v.picklist(["none", "cloudflare", "tailscale", "ngrok", "openvpn", "pinggy", "custom"]),
    "Tool that makes the gateway public; it runs as a child process",
    "none",
  ),
  cloudflare: key(table({ token: key(secret, "Tunnel token") }), "cloudflared", {}),
  tailscale: key(
    table({
      funnel: key(boolean, "Public (Funnel) instead of the tailnet only", false),
      hostname: key(text, "Name of this machine in the tailnet"),
    }),
    "Tailscale",
    {},
  ),
  ngrok: key(
    table({
      auth_token: key(secret, "Auth token"),
      domain: key(text, "Reserved domain"),
    }),
    "ngrok",
    {},
  ),
  openvpn: key(
    table({
      config_file: key(path, "Client configuration (.ovpn)"),
      auth_file: key(path, "File with user name and password"),
      advertise_address: key(text, "Address under which the gateway is reached"),
      connect_timeout_secs: key(positive, "Seconds to wait for the connection", 30),
    }),
    "OpenVPN",
    {},
  ),
  pinggy: key(
    table({
      token: key(secret, "Access token"),
      region: key(text, "Region of the server"),
    }),
    "Pinggy",
    {},
  ),
  custom: key(
    table({
      start_command: key(text, "Command line with {host} and {port}"),
      health_url: key(text, "http or https address that answers while the tunnel works"),
      url_pattern: key(text, "What the public address in its output begins with"),
    }),
    "Any other tool",
    {},
  ),
}));
