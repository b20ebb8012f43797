import { shellQuote } from "../runtime/shell-quote.ts";
import {
  emptyPlan,
  oneLine,
  type ServicePlan,
  type ServiceRequest,
  ServiceRefusal,
  type ServiceStep,
  type ServiceVerb,
  whatStays,
} from "./plan.ts";

const script = "/etc/init.d/revka";
const log = "/var/log/revka.log";
const rotation = "/etc/logrotate.d/revka";

/** What `verb` does under OpenRC, whose services are all of the system. Pure. */
export function openrcPlan(verb: ServiceVerb, request: ServiceRequest): ServicePlan {
  if (request.scope === "user") {
    throw new ServiceRefusal("OpenRC runs system services only; leave --user out and use root");
  }
  const steer = (word: string): ServiceStep => ({ command: ["rc-service", "revka", word] });
  const lines = (count: number): ServiceStep => ({ command: ["tail", "-n", `${count}`, log] });
  // It only knows that it has started the process.
  const up = { trouble: [lines(10)], waits: true };
  switch (verb) {
    case "install":
      return {
        ...emptyPlan,
        ...up,
        folders: [{ path: request.home, mode: 0o700 }],
        files: [
          { path: script, mode: 0o755, content: openrcScript(request) },
          { path: rotation, mode: 0o644, content: logrotate },
        ],
        after: [{ command: ["rc-update", "add", "revka", "default"] }, steer("restart")],
        notes: [`Logs go to ${log}.`],
      };
    case "uninstall":
      return {
        ...emptyPlan,
        before: [
          { ...steer("stop"), optional: true },
          { command: ["rc-update", "del", "revka", "default"], optional: true },
        ],
        remove: [script, rotation, log, `${log}.1`],
        notes: [whatStays(request)],
      };
    case "logs":
      return { ...emptyPlan, after: [lines(200)] };
    case "start":
    case "restart":
      return { ...emptyPlan, ...up, after: [steer(verb)] };
    default:
      return { ...emptyPlan, after: [steer(verb)] };
  }
}

/** Where logrotate is installed, it keeps the log of a daemon that runs for years from filling the disk. */
const logrotate = `${log} {
	size 10M
	rotate 1
	copytruncate
	missingok
}
`;

/**
 * The init script: supervise-daemon(8) starts it anew, after 2 s each time; from OpenRC 0.62 on, after up to 30 s. What
 * OpenRC 0.45 does not know, as Debian 12 has it, is not used. Throws without an account. Pure.
 */
export function openrcScript(request: ServiceRequest): string {
  if (request.account === null) {
    throw new ServiceRefusal(
      "OpenRC makes no account for a service: name the one it is to run as, with --run-as USER",
    );
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
umask=0077
export REVKA_HOME=${shellWord(request.home)}
error_log=${log}
output_log=${log}
respawn_delay=2
respawn_max=0
respawn_period=86400
retry="TERM/15/KILL/5"

# Without a network it starts all the same, and tries again until there is one.
depend() {
	use localmount net dns clock logger
}

start_pre() {
	[ "$(stat -c %s ${log} 2>/dev/null || echo 0)" -lt 10485760 ] || mv -f ${log} ${log}.1
	checkpath --file --owner "$command_user" --mode 0600 ${log}
}

status() {
	default_status || return
	local again="$(service_get_value start_count)" child="$(service_get_value child_pid)"
	[ "\${again:-0}" = 0 ] || ewarn "started anew $again times, the last time at $(service_get_value start_time)"
	[ -z "$child" ] || [ -d "/proc/$child" ] && return
	eerror "it has ended by itself and is about to be started anew: see ${log}"
	return 32
}

stop() {
	local child="$(service_get_value child_pid)" left=15
	default_stop || return
	# A supervisor that was killed has left its daemon behind.
	tr '\\0' '\\n' 2>/dev/null <"/proc/\${child:-0}/environ" | grep -qxF "REVKA_HOME=$REVKA_HOME" || return 0
	kill "$child"
	while [ -d "/proc/$child" ] && [ $((left -= 1)) -ge 0 ]; do sleep 1; done
	[ ! -d "/proc/$child" ] || kill -KILL "$child"
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
