import { variable, type Environment } from "./paths.ts";
import { formatKey, type KeyPath, type Problem } from "./problems.ts";
import { credentials, readCredential } from "../runtime/credentials.ts";
import { strayCredentials } from "./stray-credentials.ts";
import { copyOfTables, isTable, valueAt, type RawTable } from "./raw.ts";

/** What the command line says of the gateway; it wins over environment and file. Port 0 lets the system choose. */
export interface GatewayOverrides {
  host?: string;
  port?: number;
}

/** The file's values with what wins over them laid on top. */
export interface Overlay {
  values: RawTable;
  /** By formatted key: where a value came from that is not the file's. */
  origins: ReadonlyMap<string, { file: string; key: string }>;
  problems: Problem[];
  /** Credentials that were handed over under a name that stands for nothing. */
  warnings: Problem[];
}

/**
 * Lays the environment over the file's values: systemd's credentials for tables that the file has, then
 * `REVKA_GATEWAY_HOST`, `REVKA_GATEWAY_PORT`, and `REVKA_WHATSAPP_APP_SECRET` where the file has the WhatsApp channel.
 * `raw` is left as it is.
 */
export function overlay(raw: RawTable, env: Environment, gateway: GatewayOverrides): Overlay {
  const values = copyOfTables(raw);
  const origins = new Map<string, { file: string; key: string }>();
  const problems: Problem[] = [];
  const set = (path: KeyPath & readonly string[], value: unknown, file: string, key: string) => {
    if (put(values, path, value)) origins.set(formatKey(path), { file, key });
  };
  for (const { path, name, value, message } of handedOver(values, env)) {
    if (value !== null) set(path, value, "credential", name);
    else problems.push({ file: "credential", line: null, key: name, message });
  }
  const host = variable(env, "REVKA_GATEWAY_HOST");
  if (host !== null) set(["gateway", "host"], host, "environment", "REVKA_GATEWAY_HOST");
  const port = variable(env, "REVKA_GATEWAY_PORT");
  if (port !== null) {
    const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
    if (number >= 1 && number <= 65535) {
      set(["gateway", "port"], number, "environment", "REVKA_GATEWAY_PORT");
    } else {
      const message = "expected an integer from 1 to 65535";
      problems.push({ file: "environment", line: null, key: "REVKA_GATEWAY_PORT", message });
    }
  }
  if (gateway.host) set(["gateway", "host"], gateway.host, "command line", "--host");
  const secret = variable(env, "REVKA_WHATSAPP_APP_SECRET");
  const channels = values["channels_config"];
  if (secret !== null && isTable(channels) && isTable(channels["whatsapp"])) {
    const path = ["channels_config", "whatsapp", "app_secret"];
    set(path, secret, "environment", "REVKA_WHATSAPP_APP_SECRET");
  }
  return { values, origins, problems, warnings: strayWarnings(env) };
}

interface HandedOver {
  path: string[];
  name: string;
  /** null where it is there but cannot be used, with the reason. */
  value: string | null;
  message: string;
}

/** A credential without its table is for another config of this machine: it switches nothing on. */
function* handedOver(values: RawTable, env: Environment): Generator<HandedOver> {
  for (const name of Object.keys(credentials) as (keyof typeof credentials)[]) {
    const path = credentials[name]?.split(".");
    if (!path || !isTable(valueAt(values, path.slice(0, -1)))) continue;
    try {
      const value = readCredential(name, env);
      if (value !== null) yield { path, name, value, message: "" };
    } catch (error) {
      const message = error instanceof Error ? error.message : "cannot be read";
      yield { path, name, value: null, message };
    }
  }
}

function strayWarnings(env: Environment): Problem[] {
  const folder = variable(env, "CREDENTIALS_DIRECTORY");
  if (folder === null) return [];
  return strayCredentials(folder).map(({ name, nearest }) => {
    const hint = nearest === null ? "" : `; did you mean ${nearest}?`;
    return { file: "credential", line: null, key: name, message: `unknown, ignored${hint}` };
  });
}

/** False where something that is no table stands in the way. */
function put(root: RawTable, path: readonly string[], value: unknown): boolean {
  let table = root;
  for (const key of path.slice(0, -1)) {
    const next = (table[key] ??= {});
    if (!isTable(next)) return false;
    table = next;
  }
  table[path.at(-1) ?? ""] = value;
  return true;
}
