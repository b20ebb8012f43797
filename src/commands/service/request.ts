import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { variable } from "../../config/paths.ts";
import { ConfigError } from "../../config/problems.ts";
import { selectBackend } from "../../config/select.ts";
import { strayCredentials } from "../../config/stray-credentials.ts";
import { credentials } from "../../runtime/credentials.ts";
import { errorCode } from "../../runtime/error-code.ts";
import { selfCommand } from "../../runtime/self.ts";
import { shellQuote } from "../../runtime/shell-quote.ts";
import {
  accountOf,
  callerOfSudo,
  currentUserName,
  isNoAccount,
  systemdVersion,
} from "../../service/accounts.ts";
import type { ServiceManager } from "../../service/detect.ts";
import {
  configOfInstalled,
  homeOfInstalled,
  startedBy,
  startedWith,
} from "../../service/installed.ts";
import { launchdPlan } from "../../service/launchd.ts";
import { openrcPlan } from "../../service/openrc.ts";
import {
  ownAccountPlaces,
  type ServicePlan,
  type ServiceRequest,
  type ServiceVerb,
} from "../../service/plan.ts";
import { secretKeyCredential } from "../../service/secret-key.ts";
import { systemdPlan } from "../../service/systemd.ts";
import { unsetSecrets } from "../../service/unset-secrets.ts";
import { wrap } from "../../telemetry/wrap.ts";
import { CommandError, UsageError, type Invocation, type Terminal } from "../command.ts";
import { load } from "../load.ts";
import { homeOf, paths } from "../running-daemon.ts";

/** What wins over the config or belongs to it, and is easily taken for granted where it is exported. */
const variablesOfTheConfig = ["REVKA_GATEWAY_HOST", "REVKA_GATEWAY_PORT", "REVKA_SESSION_KEY"];

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
  if (verb === "install" && root && options["user"] === true && callerOfSudo(env) !== null) {
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
    memoryMax: memoryMax(options["memory-max"], manager),
    systemdVersion: manager === "systemd" ? systemdVersion() : null,
  };
  if (verb === "restart") await refuseRestart(manager, request, invocation);
  if (verb !== "install") return asInstalled(manager, request, invocation);
  // What this manager cannot do is said before a config for it is asked for.
  planOf(verb, manager, request, invocation);
  if (dryRun && !existsSync(request.config)) return request;
  refuseOthersPlace(request, invocation);
  const folder = options["credentials"];
  // A service that cannot start is worse than none: what is wrong is told now, with exit code 78.
  const { config, paths: used } = await load({
    configFile: request.config,
    env: environmentOf(request, env, typeof folder === "string" ? folder : null),
  });
  for (const name of variablesOfTheConfig) {
    if (variable(env, name) === null) continue;
    invocation.terminal.err(`warning: ${name} is set here, and the service does not get it\n`);
  }
  for (const sentence of unsetSecrets(config)) {
    invocation.terminal.err(`${wrap(`warning: ${sentence}`, 80).join("\n")}\n`);
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
  const handedOver = manager === "systemd" && !user && account === null;
  const secretKey = handedOver ? secretKeyCredential(request.config) : [];
  return {
    ...request,
    writable: [...new Set(outside)],
    credentials: [...request.credentials, ...secretKey],
  };
}

/** With home and config of the service that is there: it may have been installed for another account, or elsewhere. */
function asInstalled(
  manager: ServiceManager,
  request: ServiceRequest,
  invocation: Invocation,
): ServiceRequest {
  const file = installedFile(manager, request, invocation);
  if (file === undefined || !existsSync(file)) return request;
  const text = readFileSync(file, "utf8");
  const home = homeOfInstalled(text);
  if (home === null) return request;
  const inside = request.config.startsWith(`${request.home}/`);
  const guess = inside ? home + request.config.slice(request.home.length) : request.config;
  return { ...request, home, config: configOfInstalled(text) ?? guess };
}

/** The unit, script or property list that makes it a service. */
function installedFile(
  manager: ServiceManager,
  request: ServiceRequest,
  invocation: Invocation,
): string | undefined {
  return planOf("uninstall", manager, request, invocation).remove[0];
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

/** What the installed service runs, and the folder of its credentials; null where that is not surely known. */
function startedAs(
  manager: ServiceManager,
  request: ServiceRequest,
  invocation: Invocation,
): { service: ServiceRequest; folder: string | null } | null {
  const file = installedFile(manager, request, invocation);
  if (file === undefined) return null;
  if (manager === "systemd") {
    const started = startedWith(file, request.config);
    return started && { service: request, folder: started.credentials };
  }
  const started = startedBy(file);
  return started && { service: { ...request, ...started }, folder: null };
}

/** A daemon that answers is not stopped for one that would not start. Throws `ConfigError` where it would not. */
async function refuseRestart(
  manager: ServiceManager,
  request: ServiceRequest,
  invocation: Invocation,
): Promise<void> {
  const { env, terminal } = invocation;
  const started = startedAs(manager, request, invocation);
  if (started === null) return;
  const { service, folder } = started;
  try {
    await load({ configFile: service.config, env: environmentOf(service, env, folder) });
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
  const message = `no such file, and a service with an account of its own reads no other; yours becomes it by \`install -D -m 600 ${shellQuote(own)} ${shellQuote(config)}\``;
  throw new ConfigError([{ file: config, line: null, key: null, message }]);
}

function homeOfService({ scope, account, home }: ServiceRequest, env: Invocation["env"]): string {
  if (account !== null) return accountOf(account)?.home ?? homeOf(env);
  return scope === "user" ? homeOf(env) : home;
}

/** `--run-as`, else who called sudo, else null: an account of its own. */
function chosenAccount(option: string | true | undefined, env: Invocation["env"]): string | null {
  const name = typeof option === "string" ? option : callerOfSudo(env);
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

function placeOf(
  account: string | null,
  user: boolean,
  invocation: Invocation,
): { home: string; config: string } {
  const { configFile, env } = invocation;
  if (!user && account === null && variable(env, "REVKA_HOME") === null) {
    const named = configFile ?? variable(env, "REVKA_CONFIG") ?? ownAccountPlaces.config;
    return {
      home: ownAccountPlaces.home,
      config: resolve(paths({ configFile: named, env }).config),
    };
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
    const code = errorCode(error) ?? String(error);
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

function memoryMax(option: string | true | undefined, manager: ServiceManager): string | null {
  if (typeof option !== "string") return null;
  if (manager !== "systemd") {
    throw new CommandError(`--memory-max is for systemd alone: leave it out under ${manager}`);
  }
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
