import { join } from "node:path";
import { configCredential } from "../runtime/credentials.ts";
import {
  emptyPlan,
  oneLine,
  ownAccountPlaces,
  type ServicePlan,
  type ServiceRequest,
  ServiceRefusal,
  type ServiceStep,
  type ServiceVerb,
  whatStays,
} from "./plan.ts";

const unit = "revka.service";
/** Lines of the log that show why it does not start: what systemd says before and after takes some. */
const trouble = 10;

/** Where the unit of a service lies. */
export function unitPath(scope: ServiceRequest["scope"], userHome: string): string {
  const folder = scope === "user" ? join(userHome, ".config/systemd/user") : "/etc/systemd/system";
  return join(folder, unit);
}

/** What `verb` does under systemd. `userHome` is where a user unit lives, `userName` whose it is. Pure. */
export function systemdPlan(
  verb: ServiceVerb,
  request: ServiceRequest,
  userHome: string,
  userName: string | null = null,
): ServicePlan {
  const user = request.scope === "user";
  const systemctl = (...words: string[]): ServiceStep => ({
    command: ["systemctl", ...(user ? ["--user"] : []), ...words],
  });
  const log = (lines: number): ServiceStep => ({
    command: [
      "journalctl",
      ...(user ? ["--user"] : []),
      "--unit",
      unit,
      `--lines=${lines}`,
      "--no-pager",
      "--output=cat",
    ],
  });
  const path = unitPath(request.scope, userHome);
  switch (verb) {
    case "install":
      return {
        ...emptyPlan,
        before: user ? [] : foldersOf(request),
        folders: request.account === null && !user ? [] : [{ path: request.home, mode: 0o700 }],
        files: [{ path, mode: 0o644, content: systemdUnit(request) }],
        after: [
          systemctl("daemon-reload"),
          systemctl("enable", unit),
          ...(user ? [lingering(userName)] : []),
          systemctl("restart", unit),
        ],
        trouble: [log(trouble)],
        notes: [
          `Change limits with \`systemctl ${user ? "--user " : ""}edit ${unit}\`, which survives updates.`,
          ...(user
            ? ["It starts at boot if loginctl enabled lingering just now; revka doctor tells."]
            : []),
          ...(request.account === null && !user
            ? [
                `Its home is its own: sudo REVKA_HOME=${request.home} revka status --config ${request.config}`,
              ]
            : []),
        ],
      };
    case "uninstall":
      return {
        ...emptyPlan,
        before: [{ ...systemctl("disable", "--now", unit), optional: true }],
        remove: [path],
        after: [systemctl("daemon-reload")],
        notes: [whatStays(request)],
      };
    case "status":
      return { ...emptyPlan, after: [systemctl("status", "--no-pager", unit)] };
    case "logs":
      return { ...emptyPlan, after: [log(200)] };
    default:
      return {
        ...emptyPlan,
        after: [systemctl(verb, unit)],
        trouble: verb === "stop" ? [] : [log(trouble)],
      };
  }
}

/** The unit file. Directives and their versions: systemd.unit(5), systemd.service(5), systemd.exec(5). Pure. */
export function systemdUnit(request: ServiceRequest): string {
  const dynamic = request.scope === "system" && request.account === null;
  const [program, ...words] = request.executable;
  if (dynamic && /^\/(home|root|tmp|var\/tmp|run\/user)\//.test(program)) {
    throw new ServiceRefusal(
      `a service without an account cannot reach ${program}; copy it to /usr/local/bin first, or name an account with --run-as`,
    );
  }
  if (dynamic && request.home !== ownAccountPlaces.home) {
    throw new ServiceRefusal(
      `a service without an account keeps its files in ${ownAccountPlaces.home}, not in ${request.home}; leave REVKA_HOME out, or name an account with --run-as`,
    );
  }
  const config = dynamic
    ? `\${CREDENTIALS_DIRECTORY}/${configCredential}`
    : execWord(request.config);
  const loaded = [
    ...(dynamic ? [{ name: configCredential, file: request.config }] : []),
    ...request.credentials,
  ];
  return `${[
    "[Unit]",
    "Description=Revka: connects WhatsApp to an AI agent",
    ...(request.scope === "system"
      ? ["After=network-online.target time-sync.target", "Wants=network-online.target"]
      : []),
    "# Never give up; the delay between tries bounds them.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=main",
    `ExecStart=${[programWord(program), ...words.map(execWord)].join(" ")} daemon --config ${config}`,
    `Environment=${quoted(`REVKA_HOME=${specifiers(request.home)}`)}`,
    // Such an account has no home of its own, and `~` in the config must lead somewhere that it may write.
    ...(dynamic ? [`Environment=${quoted(`HOME=${specifiers(request.home)}`)}`] : []),
    // Only to name it to a person: what is read is handed over.
    ...(dynamic ? [`Environment=${quoted(`REVKA_CONFIG=${specifiers(request.config)}`)}`] : []),
    ...(dynamic ? ["DynamicUser=yes", "StateDirectory=revka", "StateDirectoryMode=0700"] : []),
    ...(request.scope === "system" && request.account ? [`User=${request.account}`] : []),
    ...loaded.map(({ name, file }) => `LoadCredential=${name}:${specifiers(oneLine(file))}`),
    "Restart=on-failure",
    ...restartDelay(request.systemdVersion),
    "# Wrong usage and a wrong config do not mend themselves.",
    "RestartPreventExitStatus=2 78",
    "WatchdogSec=60s",
    "# A hung runtime has nothing to say, and a core file would hold tokens and messages.",
    "WatchdogSignal=SIGKILL",
    "LimitCORE=0",
    "TimeoutStartSec=60s",
    "TimeoutStopSec=15s",
    "KillMode=mixed",
    ...(request.memoryMax ? [`MemoryMax=${request.memoryMax}`] : []),
    "",
    ...hardening(request, dynamic),
    "",
    "[Install]",
    `WantedBy=${request.scope === "system" ? "multi-user.target" : "default.target"}`,
  ].join("\n")}\n`;
}

/**
 * What lies outside of its home is read-only to the service, its folders too where they are not there yet. The account
 * makes them itself: root would make them anywhere that the account's config says.
 */
function foldersOf({ account, writable }: ServiceRequest): ServiceStep[] {
  if (account === null) return [];
  return writable.map((folder) => ({
    command: ["runuser", "-u", account, "--", "mkdir", "-p", "-m", "700", folder],
    optional: true,
  }));
}

/**
 * Without lingering a user's services end with the last session and do not start at boot. It needs a session or root,
 * so it may fail, and the service is started all the same. The name, since `su` and `sudo -u` open no session.
 */
function lingering(userName: string | null): ServiceStep {
  const name = userName === null ? [] : [userName];
  return { command: ["loginctl", "enable-linger", ...name], optional: true };
}

/** RestartSteps came with systemd 254; Debian 12 and Raspberry Pi OS of 2023 have 252. */
function restartDelay(version: number | null): string[] {
  if (version !== null && version < 254) return ["RestartSec=10s"];
  return ["RestartSec=2s", "RestartSteps=8", "RestartMaxDelaySec=5min"];
}

/** MemoryDenyWriteExecute is missing on purpose: the runtime compiles JavaScript to machine code. */
function hardening(request: ServiceRequest, dynamic: boolean): string[] {
  // These need no privilege, so a user's own service manager can apply them too.
  const everywhere = [
    "UMask=0077",
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
    "# What a runtime or ffmpeg only tries must fail, not kill.",
    "SystemCallErrorNumber=EPERM",
  ];
  if (request.scope === "user") return everywhere;
  return [
    ...everywhere,
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    `ProtectHome=${dynamic ? "yes" : "read-only"}`,
    ...(dynamic ? [] : [`ReadWritePaths=${quoted(specifiers(request.home))}`]),
    ...request.writable.map((folder) => `ReadWritePaths=${quoted(`-${specifiers(folder)}`)}`),
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateMounts=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "RemoveIPC=yes",
    "RestrictNamespaces=yes",
  ];
}

/** `%` begins a specifier in every setting. */
function specifiers(value: string): string {
  return value.replaceAll("%", "%%");
}

function quoted(value: string): string {
  return `"${oneLine(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A word of ExecStart= behind the program, where `$` begins a variable too. */
function execWord(word: string): string {
  return programWord(word.replaceAll("$", "$$$$"));
}

/** The first word of ExecStart=, in which systemd looks for no variables. */
function programWord(word: string): string {
  const escaped = specifiers(word);
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : quoted(escaped);
}
