import { existsSync, statSync } from "node:fs";
import { findSessionSecret, keyFileOf } from "../../channels/whatsapp-web/session-key.ts";
import { lockSession } from "../../channels/whatsapp-web/session-lock.ts";
import { selectBackend } from "../../config/select.ts";
import { networkErrorCode } from "../../net/network-error.ts";
import { error, info, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

const website = "https://web.whatsapp.com/";

export const webProbes: Probe[] = [
  webProbe("session", ({ sessionPath, examination }) => sessionVerdicts(sessionPath, examination)),
  webProbe("link", ({ examination }) => linkVerdicts(examination)),
  webProbe("network", reachVerdicts),
];

interface Web {
  sessionPath: string;
  /** Where the socket listens, as an address to fetch. */
  address: string;
  examination: Examination;
  signal: AbortSignal;
}

function webProbe(name: string, run: (web: Web) => Promise<Verdict[]> | Verdict[]): Probe {
  return {
    group: "web",
    name,
    run(examination, signal) {
      const config = examination.loaded.config.channels_config.whatsapp;
      const selection = selectBackend(config, { whatsappWeb: true });
      if (!config || selection.kind !== "run" || selection.backend !== "web") return [];
      const address = config.ws_url?.replace(/^ws/, "http") ?? website;
      return run({ sessionPath: config.session_path ?? "", address, examination, signal });
    },
  };
}

function sessionVerdicts(path: string, { status, env }: Examination): Verdict[] {
  if (!existsSync(path)) {
    return [
      info(
        "session",
        `${path} is not there yet, so no phone is linked`,
        "revka daemon shows a code",
      ),
    ];
  }
  const verdicts = [ok("session", `${path} is there`)];
  for (const file of [path, keyFileOf(path)].filter((candidate) => existsSync(candidate))) {
    if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) {
      verdicts.push(
        warning(
          "session mode",
          `others may read ${file}: whoever has it is you`,
          `chmod 600 ${file}`,
        ),
      );
    }
  }
  try {
    // With a session there, a missing key is an error and none is made.
    findSessionSecret({ env: { ...env }, sessionPath: path, sessionExists: true });
    verdicts.push(ok("session key", "is there"));
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : "is missing";
    verdicts.push(error("session key", message, "bring the key back, or revka relink"));
  }
  if (!status && existsSync(`${path}.lock`)) verdicts.push(...lockVerdicts(path));
  return verdicts;
}

function lockVerdicts(path: string): Verdict[] {
  try {
    lockSession(path).release();
    return [];
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : "another process uses the session";
    return [error("session lock", message, "stop the other process")];
  }
}

function linkVerdicts({ status }: Examination): Verdict[] {
  const web = status?.channels.find(({ backend }) => backend === "web");
  if (!web) return [info("link", "only a running daemon knows whether a phone is linked")];
  if (web.linked_as) return [ok("link", `linked as ${web.linked_as}`)];
  return [
    warning(
      "link",
      `no phone is linked (${web.reason ?? web.state})`,
      "revka status shows the code",
    ),
  ];
}

/** Any answer at all shows that the network, and the proxy where one is set, lead there. */
async function reachVerdicts({ address, examination, signal }: Web): Promise<Verdict[]> {
  const host = new URL(address).host;
  try {
    const response = await examination.network.fetchFor("channel.whatsapp")(address, {
      method: "HEAD",
      redirect: "manual",
      signal,
    });
    await response.body?.cancel();
    return [ok("network", `${host} answers`)];
  } catch (reason) {
    return [
      error(
        "network",
        `${host} cannot be reached (${networkErrorCode(reason)})`,
        "check network, DNS, firewall and proxy_url",
      ),
    ];
  }
}
