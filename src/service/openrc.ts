import { dirname } from "node:path";
import { shellQuote } from "../runtime/shell-quote.ts";
import {
  emptyPlan,
  oneLine,
  type ServicePlan,
  type ServiceRequest,
  ServiceRefusal,
  type ServiceVerb,
  whatStays,
} from "./plan.ts";

const script = "/etc/init.d/revka";
const log = "/var/log/revka.log";

/** What `verb` does under OpenRC, whose services are all of the system. Pure. */
export function openrcPlan(verb: ServiceVerb, request: ServiceRequest): ServicePlan {
  if (request.scope === "user") {
    throw new ServiceRefusal("OpenRC runs system services only; leave --user out and use root");
  }
  switch (verb) {
    case "install":
      return {
        ...emptyPlan,
        files: [{ path: script, mode: 0o755, content: openrcScript(request) }],
        after: [
          { command: ["rc-update", "add", "revka", "default"] },
          { command: ["rc-service", "revka", "restart"] },
        ],
        notes: [`Logs go to ${log}.`],
      };
    case "uninstall":
      return {
        ...emptyPlan,
        before: [
          { command: ["rc-service", "revka", "stop"], optional: true },
          { command: ["rc-update", "del", "revka"], optional: true },
        ],
        remove: [script],
        notes: [whatStays(request)],
      };
    case "logs":
      return { ...emptyPlan, after: [{ command: ["tail", "-n", "200", log] }] };
    default:
      return { ...emptyPlan, after: [{ command: ["rc-service", "revka", verb] }] };
  }
}

/** The init script: supervise-daemon restarts with a growing delay. Throws without an account. Pure. */
export function openrcScript(request: ServiceRequest): string {
  if (request.account === null) {
    throw new ServiceRefusal("OpenRC needs an account for the service: --run-as USER");
  }
  if (request.credentials.length > 0) {
    throw new ServiceRefusal("OpenRC hands over no credentials; keep secrets in the config (0600)");
  }
  const [program, ...rest] = request.executable;
  const words = [...rest, "daemon", "--config", request.config];
  return `#!/sbin/openrc-run
name="Revka"
description="Connects WhatsApp to an AI agent"
supervisor=supervise-daemon
command=${evaluated(program)}
command_args=${evaluated(...words)}
command_user=${shellWord(request.account)}
directory=${evaluated(dirname(request.home))}
umask=0077
export REVKA_HOME=${shellWord(request.home)}
error_log=${log}
output_log=${log}
respawn_delay=2
respawn_delay_step=10
respawn_delay_cap=300
respawn_max=0
retry="TERM/15/KILL/5"

depend() {
	need net
	use dns clock logger
}

start_pre() {
	checkpath --directory --owner "$command_user" --mode 0700 "$REVKA_HOME"
	checkpath --file --owner "$command_user" --mode 0600 ${log}
}
`;
}

/** For the variables that OpenRC hands over through `eval`, which splits and expands them once more. */
function evaluated(...words: string[]): string {
  return shellWord(words.map(shellQuote).join(" "));
}

function shellWord(word: string): string {
  return `'${oneLine(word).replaceAll("'", `'\\''`)}'`;
}
