import { existsSync, statSync } from "node:fs";
import { SessionDatabase } from "../../channels/whatsapp-web/session-database.ts";
import { SessionError } from "../../channels/whatsapp-web/session-error.ts";
import { isForeignSession } from "../../channels/whatsapp-web/session-header.ts";
import { findSessionSecret, keyFileOf } from "../../channels/whatsapp-web/session-key.ts";
import { selectBackend } from "../../config/select.ts";
import { networkErrorCode } from "../../net/network-error.ts";
import { buildInfo } from "../../runtime/build-info.ts";
import { shellQuote } from "../../runtime/shell-quote.ts";
import { targetOf } from "../../runtime/target-of.ts";
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
      const selection = selectBackend(config, {
        whatsappWeb: buildInfo.variant === "whatsapp-web",
      });
      if (!config || selection.kind !== "run" || selection.backend !== "web") return [];
      const address = config.ws_url?.replace(/^ws/, "http") ?? website;
      return run({ sessionPath: config.session_path ?? "", address, examination, signal });
    },
  };
}

function sessionVerdicts(path: string, examination: Examination): Verdict[] {
  if (!existsSync(path)) {
    return [
      info(
        "session",
        `${path} is not there yet, so no phone is linked`,
        webOf(examination.status)?.state === "logged_out" ? relink : "revka daemon shows a code",
      ),
    ];
  }
  // Before its key is looked for, which another program's file never had.
  if (!webOf(examination.status)?.linked_as && isForeignSession(path)) {
    return [
      error(
        "session",
        `${path} is not a session of this Revka; the original's cannot be used`,
        "move it away, or set another session_path, and link the phone anew",
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
          `chmod 600 ${shellQuote(file)}`,
        ),
      );
    }
  }
  return [...verdicts, ...keyVerdicts(path, examination)];
}

/** The daemon may have a key that this shell has not; while none runs, the session is opened to see that it opens. */
function keyVerdicts(path: string, { status, env }: Examination): Verdict[] {
  if (webOf(status)?.linked_as) return [ok("session key", "opened the session of the daemon")];
  const location = { path, env: { ...env } };
  try {
    // Nothing is made here that the daemon, as another user, could not open.
    if (status || statSync(path).size === 0 || !existsSync(`${targetOf(path)}.lock`)) {
      // With a session there, a missing key is an error and none is made.
      findSessionSecret({ env: location.env, sessionPath: path, sessionExists: true });
      return [ok("session key", "is there")];
    }
    SessionDatabase.open(location).close();
    return [ok("session key", "opens the session")];
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : "cannot be opened";
    const code = reason instanceof SessionError ? reason.code : "unusable";
    const [name, next] = troubles[code] ?? ["session", "it was left as it is"];
    return [error(name, message, next)];
  }
}

const relink = "revka relink";
const bringKey = "bring the key back, or move the session away and link anew";
const troubles: Partial<Record<SessionError["code"], [name: string, next: string]>> = {
  missing_key: ["session key", bringKey],
  wrong_key: ["session key", bringKey],
  bad_key: ["session key", bringKey],
  locked: ["session lock", "stop the other process"],
};

function webOf(status: Examination["status"]) {
  return status?.channels.find(({ backend }) => backend === "web");
}

function linkVerdicts({ status }: Examination): Verdict[] {
  const web = webOf(status);
  if (!web) return [info("link", "only a running daemon knows whether a phone is linked")];
  if (web.linked_as) return [ok("link", `linked as ${web.linked_as}`)];
  return [
    warning(
      "link",
      `no phone is linked (${web.reason ?? web.state})`,
      web.linking
        ? "revka link shows the code"
        : web.state === "logged_out"
          ? relink
          : "see what is said of the channel above",
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
    await response.body?.cancel().catch(() => {});
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
