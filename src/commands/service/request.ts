import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { secretKeyBeside, variable } from "../../config/paths.ts";
import { selectBackend } from "../../config/select.ts";
import { strayCredentials } from "../../config/stray-credentials.ts";
import { credentials } from "../../runtime/credentials.ts";
import { selfCommand } from "../../runtime/self.ts";
import { accountOf, currentUserName, isNoAccount, systemdVersion } from "../../service/accounts.ts";
import type { ServiceManager } from "../../service/detect.ts";
import { homeOfInstalled } from "../../service/installed.ts";
import { launchdPlan } from "../../service/launchd.ts";
import { openrcPlan } from "../../service/openrc.ts";
import type { ServicePlan, ServiceRequest, ServiceVerb } from "../../service/plan.ts";
import { stateDirectory, systemdPlan } from "../../service/systemd.ts";
import { CommandError, UsageError, type Invocation, type Terminal } from "../command.ts";
import { load } from "../load.ts";
import { homeOf, paths } from "../running-daemon.ts";

/** What wins over the config or belongs to it, and is easily taken for granted where it is exported. */
const variablesOfTheConfig = [
  "REVKA_GATEWAY_HOST",
  "REVKA_GATEWAY_PORT",
  "REVKA_SESSION_KEY",
  "REVKA_WHATSAPP_APP_SECRET",
];

/** What is to run, where and as whom, by the words of the person and what is there. Throws what the person did wrong. */
export async function requestOf(
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
  if (verb === "install" && root && options["user"] === true && ofSudo(env) !== null) {
    throw new CommandError(
      "--user is for whoever runs this, and sudo makes that root: leave one of the two out",
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
  if (verb !== "install") return asInstalled(manager, request, invocation);
  if (dryRun && !existsSync(request.config)) return request;
  const folder = options["credentials"];
  // A service that cannot start is worse than none: what is wrong is told now, with exit code 78.
  const { config, paths: used } = await load({
    configFile: request.config,
    env: {
      REVKA_HOME: request.home,
      // `~` is the home of whom it runs as, not that of root.
      HOME: homeOfService(request, env),
      ...(typeof folder === "string" && { CREDENTIALS_DIRECTORY: folder }),
    },
  });
  for (const name of variablesOfTheConfig) {
    if (variable(env, name) === null) continue;
    invocation.terminal.err(`warning: ${name} is set here, and the service does not get it\n`);
  }
  const { whatsapp } = config.channels_config;
  const selection = selectBackend(whatsapp, { whatsappWeb: true });
  const written = {
    "store.path": used.store,
    "channels_config.whatsapp.session_path":
      selection.kind === "run" && selection.backend === "web" ? whatsapp?.session_path : undefined,
  };
  for (const [key, path] of Object.entries(written)) {
    if (path === undefined || isAbsolute(path)) continue;
    throw new CommandError(
      `${key} in ${request.config} begins in the folder that Revka is started in, which is another one for a service: write it whole`,
    );
  }
  const outside = Object.values(written)
    .filter((path) => path !== undefined)
    .map((path) => dirname(resolve(path)))
    .filter((folder) => folder !== request.home && !folder.startsWith(`${request.home}/`));
  const keys = manager === "systemd" && !user && account === null ? secretKey(request.config) : [];
  return {
    ...request,
    writable: [...new Set(outside)],
    credentials: [...request.credentials, ...keys],
  };
}

/** With the home of the service that is there: it may have been installed for another account, or with another home. */
function asInstalled(
  manager: ServiceManager,
  request: ServiceRequest,
  invocation: Invocation,
): ServiceRequest {
  const [file] = planOf("uninstall", manager, request, invocation).remove;
  if (file === undefined || !existsSync(file)) return request;
  return { ...request, home: homeOfInstalled(readFileSync(file, "utf8")) ?? request.home };
}

/** The key of encrypted values goes along with a config that is handed over: it is looked for beside it. */
function secretKey(config: string): ServiceRequest["credentials"] {
  const file = secretKeyBeside(config);
  return existsSync(file) ? [{ name: basename(file), file }] : [];
}

function homeOfService({ scope, account, home }: ServiceRequest, env: Invocation["env"]): string {
  if (account !== null) return accountOf(account)?.home ?? homeOf(env);
  return scope === "user" ? homeOf(env) : home;
}

/** `--run-as`, else who called sudo, else null: an account of its own. */
function chosenAccount(option: string | true | undefined, env: Invocation["env"]): string | null {
  const name = typeof option === "string" ? option : ofSudo(env);
  if (!name) {
    const self = currentUserName();
    return self === "root" ? null : self;
  }
  // Of a domain, such as ada@example.com, it is longer than the 32 of useradd.
  if (!/^[a-z_][a-z0-9_.@-]{0,254}\$?$/i.test(name)) {
    throw new UsageError(`"${name}" is no name of an account`);
  }
  return name;
}

/** Who called sudo, where that was somebody else than root. */
function ofSudo(env: Invocation["env"]): string | null {
  const name = variable(env, "SUDO_USER");
  return name === "root" ? null : name;
}

function placeOf(
  account: string | null,
  user: boolean,
  invocation: Invocation,
): { home: string; config: string } {
  const { configFile, env } = invocation;
  if (!user && account === null && variable(env, "REVKA_HOME") === null) {
    const named = configFile ?? variable(env, "REVKA_CONFIG") ?? "/etc/revka/config.toml";
    return { home: stateDirectory, config: resolve(paths({ configFile: named, env }).config) };
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

/** What `verb` does under this manager. */
export function planOf(
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
