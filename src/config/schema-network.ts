import { z } from "zod";
import { means, path, positive, secret, text } from "./schema-values.ts";

export const proxySchema = z.object({
  enabled: z
    .boolean()
    .default(false)
    .register(...means("Use the proxies below")),
  http_proxy: secret.optional().register(...means("Proxy for http addresses")),
  https_proxy: secret.optional().register(...means("Proxy for https addresses")),
  all_proxy: secret.optional().register(...means("Proxy for what the other two do not cover")),
  no_proxy: z
    .array(text)
    .default([])
    .register(...means("Hosts reached directly, as in NO_PROXY")),
  scope: z
    .enum(["environment", "revka", "services"])
    .default("revka")
    .register(
      ...means("environment: HTTP_PROXY and friends; revka: everything; services: those listed"),
    ),
  services: z
    .array(text)
    .default([])
    .register(...means('Selectors such as "channel.whatsapp", "channel.*", "provider.*"')),
});

export const tunnelSchema = z.object({
  provider: z
    .enum(["none", "cloudflare", "tailscale", "ngrok", "openvpn", "pinggy", "custom"])
    .default("none")
    .register(...means("Tool that makes the gateway public; it runs as a child process")),
  cloudflare: z
    .object({ token: secret.optional().register(...means("Tunnel token")) })
    .prefault({})
    .register(...means("cloudflared")),
  tailscale: z
    .object({
      funnel: z
        .boolean()
        .default(false)
        .register(...means("Public (Funnel) instead of the tailnet only")),
      hostname: text.optional().register(...means("Name of this machine in the tailnet")),
    })
    .prefault({})
    .register(...means("Tailscale")),
  ngrok: z
    .object({
      auth_token: secret.optional().register(...means("Auth token")),
      domain: text.optional().register(...means("Reserved domain")),
    })
    .prefault({})
    .register(...means("ngrok")),
  openvpn: z
    .object({
      config_file: path.optional().register(...means("Client configuration (.ovpn)")),
      auth_file: path.optional().register(...means("File with user name and password")),
      advertise_address: text
        .optional()
        .register(...means("Address under which the gateway is reached")),
      connect_timeout_secs: positive
        .default(30)
        .register(...means("Seconds to wait for the connection")),
    })
    .prefault({})
    .register(...means("OpenVPN")),
  pinggy: z
    .object({
      token: secret.optional().register(...means("Access token")),
      region: text.optional().register(...means("Region of the server")),
    })
    .prefault({})
    .register(...means("Pinggy")),
  custom: z
    .object({
      start_command: text.optional().register(...means("Command line with {host} and {port}")),
      health_url: text.optional().register(...means("Address that answers while the tunnel works")),
      url_pattern: text
        .optional()
        .register(...means("What the public address in its output begins with")),
    })
    .prefault({})
    .register(...means("Any other tool")),
});
