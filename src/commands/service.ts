import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "../config/problems.ts";
import { strayCredentials } from "../config/stray-credentials.ts";
import { credentials } from "../runtime/credentials.ts";
import { selfCommand } from "../runtime/self.ts";
import { typed } from "../runtime/typed.ts";
import { accountOf, currentUserName, isNoAccount, systemdVersion } from "../service/accounts.ts";
import { carryOut } from "../service/carry-out.ts";
import { detectManager, managers, type ServiceManager } from "../service/detect.ts";
import { startedWith } from "../service/installed.ts";
import { launchdPlan } from "../service/launchd.ts";
import { openrcPlan } from "../service/openrc.ts";
import {
  ownAccountPlaces,
  ServiceRefusal,
  serviceVerbs,
  type ServicePlan,
  type ServiceRequest,
  type ServiceVerb,
} from "../service/plan.ts";
import { secretKeyCredential } from "../service/secret-key.ts";
import { unsetSecrets } from "../service/unset-secrets.ts";
import { systemdPlan, unitPath } from "../service/systemd.ts";
import { wrap } from "../telemetry/wrap.ts";
import {
  CommandError,
  exitCode,
  UsageError,
  type Command,
  type Invocation,
  type Terminal,
} from "./command.ts";
import { load } from "./load.ts";
import { homeOf, paths } from "./running-daemon.ts";

export const command: Command = {
  usage: `service ${serviceVerbs.join("|")}`,
  about:
    "Installs Revka as a service that starts at boot and comes back after a crash, and steers it. As root it becomes a system service that runs under the account that called sudo, or under one of its own with /etc/revka/config.toml; with --user it belongs to you.",
  options: {
    user: { description: "Your own service, without root (systemd, launchd)" },
    "run-as": { value: "USER", description: "Account of a system service" },
    credentials: {
      value: "DIR",
      description: "Secrets as files in DIR (revka-whatsapp-app-secret, …), handed over by systemd",
    },
    "memory-max": { value: "SIZE", description: "Limit, such as 512M (systemd)" },
    manager: { value: "NAME", description: `${managers.join(", ")} (default: the one that runs)` },
    "dry-run": { description: "Show what would be written and run, and do nothing" },
  },
  positionals: [1, 1],
  examples: [
    ["sudo revka service install", "starts now and at every boot, as you"],
    ["revka service install --user", "the same without root"],
    ["revka service install --dry-run", "read it first"],
    ["revka service logs", "the last 200 lines"],
  ],
  async run(invocation) {
    const verb = serviceVerbs.find((candidate) => candidate === invocation.positionals[0]);
    if (!verb) {
      throw new UsageError(
        `"${invocation.positionals[0]}" is none of ${serviceVerbs.join(", ")}: revka service VERB`,
      );
    }
    try {
      return await steer(verb, invocation);
    } catch (error) {
      throw error instanceof ServiceRefusal ? new CommandError(error.message) : error;
    }
  },
};

async function steer(verb: ServiceVerb, invocation: Invocation): Promise<number> {
  const { options, terminal } = invocation;
  const dryRun = options["dry-run"] === true;
  const manager = chosenManager(options["manager"]);
  const request = await requestOf(verb, manager, invocation, dryRun);
  const plan = planOf(verb, manager, request, invocation);
  if (dryRun) {
    terminal.out(described(plan));
    return exitCode.fine;
  }
  const code = await carryOut(
    plan,
    undefined,
    request.account === null ? null : accountOf(request.account),
  );
  if (code === 0) for (const note of plan.notes) terminal.out(`${note}\n`);
  else if (plan.trouble.length > 0) {
    const more = `revka service logs${request.scope === "user" ? " --user" : ""}`;
    terminal.err(
      `revka: the service did not start; its log ends as above, and \`${more}\` has more\n`,
    );
  }
  return code === 0 ? exitCode.fine : exitCode.failed;
}

function chosenManager(option: string | true | undefined): ServiceManager {
  if (option === undefined) return detectManager();
  const manager = managers.find((candidate) => candidate === option);
  if (!manager) throw new UsageError(`--manager "${option}" is none of ${managers.join(", ")}`);
  return manager;
}

async function requestOf(
  verb: ServiceVerb,
  manager: ServiceManager,
  invocation: Invocation,
  dryRun: boolean,
): Promise<ServiceRequest> {
  const { options, env } = invocation;
  const root = process.getuid?.() === 0;
  const user = options["user"] === true || (manager === "launchd" && !root);
  if (!user && !root && !dryRun && !["status", "logs"].includes(verb)) {
    throw new CommandError(
      `a system service needs root: sudo revka service ${verb}; or, for yourself: revka service ${verb} --user`,
    );
  }
  const account = user ? null : chosenAccount(options["run-as"], env);
  if (verb === "install" && account !== null && isNoAccount(account)) {
    throw new CommandError(
      `there is no account ${account}: create it first, or name another with --run-as`,
    );
  }
  const place = placeOf(account, user, invocation);
  const { file, args } = selfCommand([]);
  const request: ServiceRequest = {
    executable: [realpathSync(file), ...args],
    scope: user ? "user" : "system",
    account,
    ...place,
    writable: [],
    credentials: credentialFiles(options["credentials"], invocation.terminal),
    memoryMax: memoryMax(options["memory-max"]),
    systemdVersion: manager === "systemd" ? systemdVersion() : null,
  };
  if (verb === "restart" && manager === "systemd") await refuseRestart(request, invocation);
  if (verb !== "install" || (dryRun && !existsSync(request.config))) return request;
  refuseOthersPlace(request, invocation);
  // A service that cannot start is worse than none: what is wrong is told now, with exit code 78.
  const { config, paths: used } = await load({
    configFile: request.config,
    env: environmentOf(request, env, credentialsFolder(options["credentials"])),
  });
  for (const sentence of unsetSecrets(config)) {
    invocation.terminal.err(`${wrap(`warning: ${sentence}`, 80).join("\n")}\n`);
  }
  const outside = [used.store, config.channels_config.whatsapp?.session_path]
    .filter((path) => path !== undefined)
    .map((path) => dirname(resolve(path)))
    .filter((folder) => folder !== request.home && !folder.startsWith(`${request.home}/`));
  const handedOver = manager === "systemd" && !user && account === null;
  const secretKey = handedOver ? secretKeyCredential(request.config) : [];
  return {
    ...request,
    credentials: [...request.credentials, ...secretKey],
    writable: [...new Set(outside)],
  };
}

/** As the service has it, which gets nothing of this shell; `~` is the home of whom it runs as, not that of root. */
function environmentOf(
  request: ServiceRequest,
  env: Invocation["env"],
  folder: string | null,
): Invocation["env"] {
  return {
    REVKA_HOME: request.home,
    HOME: homeOfService(request, env),
    ...(folder === null ? {} : { CREDENTIALS_DIRECTORY: folder }),
  };
}

/** A daemon that answers is not stopped for one that would not start. Throws `ConfigError` where it would not. */
async function refuseRestart(request: ServiceRequest, invocation: Invocation): Promise<void> {
  const { env, terminal } = invocation;
  const started = startedWith(unitPath(request.scope, homeOf(env)), request.config);
  if (started === null) return;
  try {
    const folder = started.credentials;
    await load({ configFile: request.config, env: environmentOf(request, env, folder) });
  } catch (error) {
    if (error instanceof ConfigError)
      terminal.err("revka: not restarted: with this config it would not start\n");
    throw error;
  }
}

/** Root has written a config of its own, where `revka init` does, and the service would read another. */
function refuseOthersPlace({ config, home }: ServiceRequest, invocation: Invocation): void {
  const own = paths(invocation).config;
  if (home !== ownAccountPlaces.home || existsSync(config) || !existsSync(own)) return;
  const message = `no such file, and a service with an account of its own reads no other; yours becomes it by \`install -D -m 600 ${typed(own)} ${typed(config)}\``;
  throw new ConfigError([{ file: config, line: null, key: null, message }]);
}

function homeOfService({ scope, account, home }: ServiceRequest, env: Invocation["env"]): string {
  if (account !== null) return accountOf(account)?.home ?? homeOf(env);
  return scope === "user" ? homeOf(env) : home;
}

/** `--run-as`, else who called sudo, else null: an account of its own. */
function chosenAccount(option: string | true | undefined, env: Invocation["env"]): string | null {
  const name = typeof option === "string" ? option : env["SUDO_USER"];
  if (!name || (name === "root" && typeof option !== "string")) {
    const self = currentUserName();
    return self === "root" ? null : self;
  }
  if (!/^[a-z_][a-z0-9_.-]{0,31}\$?$/i.test(name)) {
    throw new UsageError(`"${name}" is no name of an account`);
  }
  return name;
}

function placeOf(
  account: string | null,
  user: boolean,
  invocation: Invocation,
): { home: string; config: string } {
  const { configFile, env } = invocation;
  if (!user && account === null && !env["REVKA_HOME"]) {
    const { home, config } = ownAccountPlaces;
    return { home, config: resolve(configFile ?? config) };
  }
  // Under sudo HOME may be root's: the service needs that of its account.
  const home = account === null ? homeOf(env) : (accountOf(account)?.home ?? homeOf(env));
  const found = paths({ configFile, env: { ...env, HOME: home } });
  return { home: resolve(found.home), config: resolve(found.config) };
}

function credentialFiles(
  option: string | true | undefined,
  terminal: Terminal,
): ServiceRequest["credentials"] {
  if (typeof option !== "string") return [];
  if (!isAbsolute(option)) throw new UsageError("--credentials needs an absolute path");
  const there = namesIn(option);
  const known = Object.keys(credentials);
  const names = `known names: ${known.join(", ")}`;
  for (const { name, nearest } of strayCredentials(option)) {
    const hint = nearest === null ? names : `did you mean ${nearest}?`;
    terminal.err(`warning: ${join(option, name)} is not handed over; ${hint}\n`);
  }
  const found = known.filter((name) => there.includes(name));
  if (found.length > 0) return found.map((name) => ({ name, file: join(option, name) }));
  throw new CommandError(`${option} holds no credential; ${names}`);
}

function credentialsFolder(option: string | true | undefined): string | null {
  return typeof option === "string" ? option : null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const reasons: Record<string, string> = {
      ENOENT: "is not there: make it, or name another folder",
      ENOTDIR: "is no folder",
      EACCES: "may not be read by this account: use sudo",
    };
    throw new CommandError(
      `--credentials: ${folder} ${reasons[code] ?? `cannot be read (${code})`}`,
    );
  }
}

function memoryMax(option: string | true | undefined): string | null {
  if (typeof option !== "string") return null;
  if (/^\d+[KMGT%]?$/.test(option)) return option;
  throw new UsageError(`--memory-max "${option}" is no size such as 512M`);
}

function planOf(
  verb: ServiceVerb,
  manager: ServiceManager,
  request: ServiceRequest,
  { env }: Invocation,
): ServicePlan {
  if (manager === "openrc") return openrcPlan(verb, request);
  if (manager === "systemd") {
    return systemdPlan(verb, request, homeOf(env), currentUserName());
  }
  return launchdPlan(verb, request, homeOf(env), process.getuid?.() ?? 0);
}

/** A plan as the commands and files a person would type and write. */
function described(plan: ServicePlan): string {
  const lines = [
    ...plan.before.map(({ command: words }) => `$ ${words.join(" ")}`),
    ...plan.folders.map(({ path, mode }) => `# folder ${path} (mode ${mode.toString(8)})`),
    ...plan.files.flatMap(({ path, mode, content }) => [
      `# ${path} (mode ${mode.toString(8)})`,
      content,
    ]),
    ...plan.remove.map((path) => `$ rm ${path}`),
    ...plan.after.map(({ command: words }) => `$ ${words.join(" ")}`),
    ...plan.notes.map((note) => `# ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}
