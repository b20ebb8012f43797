import { randomBytes } from "node:crypto";
import { selectBackend } from "../../config/select.ts";
import { isLoopbackHost } from "../../config/addresses.ts";
import { networkErrorCode } from "../../net/network-error.ts";
import { findExecutable } from "../../runtime/executable.ts";
import { tunnelTool } from "../../tunnel/tool.ts";
import { certificateProbe } from "./certificate-probe.ts";
import { listens } from "./network-probes.ts";
import { error, info, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

export const gatewayProbes: Probe[] = [
  certificateProbe,
  { group: "gateway", name: "port", run: portVerdicts },
  { group: "gateway", name: "tunnel", run: tunnelVerdicts },
  { group: "gateway", name: "public address", run: addressVerdicts },
  {
    group: "gateway",
    name: "callback",
    run: (examination, signal) => callbackVerdicts(examination, signal),
  },
];

/** The webhook channels that are configured, each with its route. */
function routes({ loaded }: Examination): ("whatsapp" | "wati")[] {
  const { whatsapp, wati } = loaded.config.channels_config;
  const selection = selectBackend(whatsapp, { whatsappWeb: true });
  const cloud = selection.kind === "run" && selection.backend === "cloud";
  return [...(cloud ? (["whatsapp"] as const) : []), ...(wati ? (["wati"] as const) : [])];
}

/** Asked, not taken: a daemon that starts meanwhile must find it free. A running one has it. */
async function portVerdicts(
  { loaded, status, unheard }: Examination,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const { host, port } = loaded.config.gateway;
  if (status || unheard !== undefined || !(await listens(host, port, signal))) return [];
  return [
    error(
      "port",
      `${bracketed(host)}:${port} is taken, by another program or by Revka with another home`,
      "stop that one, or set [gateway] port: until then no daemon starts with this config",
    ),
  ];
}

/** A running daemon tells itself how its tunnel is. */
function tunnelVerdicts({ loaded, env, status }: Examination): Verdict[] {
  const { tunnel, gateway } = loaded.config;
  const { host, port, tls } = gateway;
  const tool = tunnel && tunnelTool(tunnel, { host, port, tls: tls.enabled });
  if (!tool || status) return [];
  const [name] = tool.command;
  const program = findExecutable(name, env["PATH"]);
  return [
    program
      ? ok("tunnel", `uses ${program}`)
      : error(
          "tunnel",
          `${name} is not installed (it is not on PATH)`,
          "install it: until then nothing leads to the gateway",
        ),
  ];
}

/** What the daemon says, since a tunnel gives it its address; else the config. */
function publicUrl({ loaded, status }: Examination): string | null {
  return status?.gateway.public_url ?? loaded.config.gateway.public_url ?? null;
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function addressVerdicts(examination: Examination): Verdict[] {
  if (routes(examination).length === 0) return [];
  const { gateway, tunnel } = examination.loaded.config;
  const url = publicUrl(examination);
  if (url) {
    const parsed = URL.parse(url);
    return parsed?.protocol === "https:" || (parsed && isLoopbackHost(parsed.hostname))
      ? [ok("public address", url)]
      : [
          error(
            "public address",
            `${url} is not https`,
            "Meta and WATI call https only: mend public_url",
          ),
        ];
  }
  if (tunnel && tunnel.provider !== "none") {
    return [info("public address", `the ${tunnel.provider} tunnel gives one once the daemon runs`)];
  }
  const scheme = gateway.tls.enabled ? "https" : "http";
  const own = `${scheme}://${bracketed(gateway.host)}:${gateway.port}`;
  return [
    info(
      "public address",
      `not known: webhooks must be led to ${own}${gateway.path_prefix}`,
      "set [gateway] public_url, and doctor tries it from here",
    ),
  ];
}

/** The handshake as Meta makes it, through the public address: DNS, TLS, proxy, prefix and token in one. */
async function callbackVerdicts(examination: Examination, signal: AbortSignal): Promise<Verdict[]> {
  const base = publicUrl(examination);
  if (!base || !URL.canParse(base)) return [];
  if (!examination.status) {
    return [info("callback", "not tried, since the daemon is not running", "start it, then again")];
  }
  const found = await Promise.all(
    routes(examination).map((route) => callbackVerdict(route, base, examination, signal)),
  );
  return found;
}

async function callbackVerdict(
  route: "whatsapp" | "wati",
  base: string,
  { loaded, network }: Examination,
  signal: AbortSignal,
): Promise<Verdict> {
  const name = `callback /${route}`;
  const address = `${base.replace(/\/+$/, "")}${loaded.config.gateway.path_prefix}/${route}`;
  const url = new URL(address);
  const challenge = randomBytes(8).toString("hex");
  url.searchParams.set("hub.mode", "subscribe");
  url.searchParams.set("hub.challenge", challenge);
  const token = loaded.config.channels_config.whatsapp?.verify_token;
  if (route === "whatsapp" && token) url.searchParams.set("hub.verify_token", token);
  try {
    const response = await network.fetchFor(`channel.${route}`)(url, {
      redirect: "manual",
      signal,
    });
    const body = (await response.text()).slice(0, 200);
    if (response.status === 200 && body === challenge) {
      return ok(name, `${address} answers as Meta expects`);
    }
    const path = base.replace(/\/+$/, "");
    const added = `${loaded.config.gateway.path_prefix}/${route}`;
    const twice = [added, `/${route}`].find((end) => path.endsWith(end)) ?? null;
    const advice = adviceFor(response.status, twice);
    return error(name, `${address} answers ${response.status}`, advice);
  } catch (reason) {
    return warning(
      name,
      `${address} cannot be reached from here (${networkErrorCode(reason)})`,
      "see whether DNS, tunnel or reverse proxy lead to this machine; some routers cannot call themselves",
    );
  }
}

/** `twice` is the route, where the public address ends in it already. */
function adviceFor(status: number, twice: string | null): string {
  if (status === 404 && twice !== null) {
    return `public_url ends in ${twice}, which is added to it: leave that away`;
  }
  if (status === 403) return "the daemon runs with another verify_token: restart it";
  if (status === 404) return "the reverse proxy must keep the path, path_prefix included";
  if (status >= 300 && status < 400) return "Meta follows no redirect: set the final address";
  return "see the reverse proxy's or tunnel's own log";
}
