import type { TunnelConfig } from "../config/schema.ts";

/** A tool that leads the internet to the gateway: how to start it, and how to read what it says. */
export interface TunnelTool {
  provider: Exclude<TunnelConfig["provider"], "none">;
  command: [string, ...string[]];
  /** Secrets go here where the tool allows it: arguments are visible to everybody on the machine. */
  env: Record<string, string>;
  /** Looks at one line of output: null says nothing, otherwise the tunnel is up, at `url` where the tool knows it. */
  read(line: string): { url: string | null } | null;
  /** How long it may take to be up. */
  connectTimeoutMs: number;
  /** It need not say when it is up: running that long is enough. */
  mayBeSilent?: true;
}

const usualTimeoutMs = 30_000;

/** Where the gateway listens. */
export interface Gateway {
  host: string;
  port: number;
  /** It speaks TLS itself: its certificate names the public address, so tools do not check it on the way to here. */
  tls: boolean;
}

/** The tool that `[tunnel]` asks for, null for none. Throws an Error that says which key is missing. Pure. */
export function tunnelTool(config: TunnelConfig, gateway: Gateway): TunnelTool | null {
  const { host, port, tls } = gateway;
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  switch (config.provider) {
    case "none":
      return null;
    case "cloudflare":
      return cloudflare(config.cloudflare.token, target, tls);
    case "ngrok":
      return ngrok(config.ngrok, target, tls);
    case "tailscale":
      return tailscale(config.tailscale, target, tls);
    case "pinggy":
      return pinggy(config.pinggy, target, tls);
    case "openvpn":
      return openvpn(config.openvpn, target, tls);
    case "custom":
      return custom(config.custom, host, port);
  }
}

/** With a token the tunnel's host name is set in Cloudflare's dashboard and not printed; without, it is a random one. */
function cloudflare(token: string | undefined, target: string, tls: boolean): TunnelTool {
  const origin = tls ? [`https://${target}`, "--no-tls-verify"] : [`http://${target}`];
  const url = ["--no-autoupdate", "--url", ...origin];
  return {
    provider: "cloudflare",
    command: token ? ["cloudflared", "tunnel", ...url, "run"] : ["cloudflared", "tunnel", ...url],
    env: token ? { TUNNEL_TOKEN: token } : {},
    read(line) {
      if (token) return line.includes("Registered tunnel connection") ? { url: null } : null;
      const found = /https:\/\/(?!api\.)[a-z0-9-]+\.trycloudflare\.com/.exec(line);
      return found ? { url: found[0] } : null;
    },
    connectTimeoutMs: usualTimeoutMs,
  };
}

function ngrok(
  { auth_token, domain }: TunnelConfig["ngrok"],
  target: string,
  tls: boolean,
): TunnelTool {
  return {
    provider: "ngrok",
    command: [
      "ngrok",
      "http",
      tls ? `https://${target}` : target,
      "--log=stdout",
      "--log-format=logfmt",
      ...(domain ? [`--domain=${domain}`] : []),
    ],
    env: auth_token ? { NGROK_AUTHTOKEN: auth_token } : {},
    read(line) {
      const found = /\burl=(https:\/\/\S+)/.exec(line);
      return found?.[1] && line.includes("started tunnel") ? { url: found[1] } : null;
    },
    connectTimeoutMs: usualTimeoutMs,
  };
}

/** In the foreground, `serve` and `funnel` undo themselves when they end (tailscale.com/kb/1242). */
function tailscale(
  { funnel, hostname }: TunnelConfig["tailscale"],
  target: string,
  tls: boolean,
): TunnelTool {
  const scheme = tls ? "https+insecure" : "http";
  return {
    provider: "tailscale",
    command: ["tailscale", funnel ? "funnel" : "serve", `${scheme}://${target}`],
    env: {},
    read(line) {
      const found = /https:\/\/[a-z0-9.-]+\.ts\.net(?::\d+)?/i.exec(line);
      return found ? { url: hostname ? `https://${hostname}` : found[0] } : null;
    },
    connectTimeoutMs: usualTimeoutMs,
  };
}

/** Over ssh; the token is the user name, so other people on this machine can see it. */
function pinggy(
  { token, region }: TunnelConfig["pinggy"],
  target: string,
  tls: boolean,
): TunnelTool {
  const server = `${region ? `${region}.` : ""}${token ? "pro" : "free"}.pinggy.io`;
  return {
    provider: "pinggy",
    command: [
      "ssh",
      "-T",
      "-p",
      "443",
      "-o",
      "BatchMode=yes",
      "-o",
      "StrictHostKeyChecking=accept-new",
      "-o",
      "ServerAliveInterval=30",
      "-o",
      "ExitOnForwardFailure=yes",
      "-R",
      `0:${target}`,
      token ? `${token}@${server}` : server,
      ...(tls ? ["x:localServerTls"] : []),
    ],
    env: {},
    read(line) {
      const found = /https:\/\/[a-z0-9.-]+\.pinggy\.(?:link|online|io)(?![a-z0-9.-])/i.exec(line);
      return found && !found[0].includes("dashboard.") ? { url: found[0] } : null;
    },
    connectTimeoutMs: usualTimeoutMs,
  };
}

function openvpn(config: TunnelConfig["openvpn"], target: string, tls: boolean): TunnelTool {
  if (!config.config_file) throw new Error("tunnel.openvpn.config_file is missing");
  const address = config.advertise_address ?? target;
  return {
    provider: "openvpn",
    command: [
      "openvpn",
      "--config",
      config.config_file,
      ...(config.auth_file ? ["--auth-user-pass", config.auth_file] : []),
    ],
    env: {},
    read: (line) =>
      line.includes("Initialization Sequence Completed")
        ? { url: address.includes("://") ? address : `${tls ? "https" : "http"}://${address}` }
        : null,
    connectTimeoutMs: config.connect_timeout_secs * 1000,
  };
}

/**
 * `url_pattern` is searched as it stands, never as an expression: it comes from a file, and lines from a stranger. Many
 * tools name the way in beside the address out, and some write in colour whoever reads.
 */
function custom(config: TunnelConfig["custom"], host: string, port: number): TunnelTool {
  const words = (config.start_command ?? "")
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll("{host}", host).replaceAll("{port}", String(port)));
  const [program, ...rest] = words;
  if (!program) throw new Error("tunnel.custom.start_command is missing");
  const pattern = config.url_pattern;
  return {
    provider: "custom",
    command: [program, ...rest],
    env: {},
    read(line) {
      if (pattern && !line.includes(pattern)) return null;
      const urls = line.match(/https?:\/\/[^\s\p{C}"'<>|]+/gu) ?? [];
      const found = urls.find((url) => url.includes(pattern || "https:")) ?? urls[0];
      return found ? { url: found.replace(/[.,;)]+$/, "") } : null;
    },
    connectTimeoutMs: usualTimeoutMs,
    // `ssh -N -R …` to a server of one's own prints nothing; a pattern says that there is something to find.
    ...(!pattern && { mayBeSilent: true }),
  };
}
