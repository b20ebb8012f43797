import { z } from "zod";
import { path, positive, secret, text } from "./schema-values.ts";

export const proxySchema = z.object({
  enabled: z.boolean().default(false).describe("Use the proxies below"),
  http_proxy: secret.optional().describe("Proxy for http addresses"),
  https_proxy: secret.optional().describe("Proxy for https addresses"),
  all_proxy: secret.optional().describe("Proxy for what the other two do not cover"),
  no_proxy: z.array(text).default([]).describe("Hosts reached directly, as in NO_PROXY"),
  scope: z
    .enum(["environment", "revka", "services"])
    .default("revka")
    .describe("environment: HTTP_PROXY and friends; revka: everything; services: those listed"),
  services: z
    .array(text)
    .default([])
    .describe('Selectors such as "channel.whatsapp", "channel.*", "provider.*"'),
});

export const tunnelSchema = z.object({
  provider: z
    .enum(["none", "cloudflare", "tailscale", "ngrok", "openvpn", "pinggy", "custom"])
    .default("none")
    .describe("Tool that makes the gateway public; it runs as a child process"),
  cloudflare: z
    .object({ token: secret.optional().describe("Tunnel token") })
    .prefault({})
    .describe("cloudflared"),
  tailscale: z
    .object({
      funnel: z.boolean().default(false).describe("Public (Funnel) instead of the tailnet only"),
      hostname: text.optional().describe("Name of this machine in the tailnet"),
    })
    .prefault({})
    .describe("Tailscale"),
  ngrok: z
    .object({
      auth_token: secret.optional().describe("Auth token"),
      domain: text.optional().describe("Reserved domain"),
    })
    .prefault({})
    .describe("ngrok"),
  openvpn: z
    .object({
      config_file: path.optional().describe("Client configuration (.ovpn)"),
      auth_file: path.optional().describe("File with user name and password"),
      advertise_address: text.optional().describe("Address under which the gateway is reached"),
      connect_timeout_secs: positive.default(30).describe("Seconds to wait for the connection"),
    })
    .prefault({})
    .describe("OpenVPN"),
  pinggy: z
    .object({
      token: secret.optional().describe("Access token"),
      region: text.optional().describe("Region of the server"),
    })
    .prefault({})
    .describe("Pinggy"),
  custom: z
    .object({
      start_command: text.optional().describe("Command line with {host} and {port}"),
      health_url: text.optional().describe("Address that answers while the tunnel works"),
      url_pattern: text.optional().describe("What the public address in its output begins with"),
    })
    .prefault({})
    .describe("Any other tool"),
});
