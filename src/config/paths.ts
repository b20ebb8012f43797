import type { Outline } from "./outline.ts";
import { isTable, type RawTable } from "./raw.ts";

/** Variables of the process; an empty one counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Paths {
  /** Where Revka keeps its own files. */
  home: string;
  config: string;
  /** SQLite file, before `[store] path` is known. */
  store: string;
  /** Control socket of the running daemon. */
  socket: string;
  /** Folder of the files of messages. */
  media: string;
}

/** The variable, or null where it is unset or blank. */
export function variable(env: Environment, name: string): string | null {
  const value = env[name]?.trim();
  return value ? value : null;
}

/** Nothing empty, `.` or `..` on the way of an absolute path: `node:path` would leave it as it is. */
function isPlain(path: string): boolean {
  const parts = `${path}/`;
  const odd = parts.includes("//") || parts.includes("/./") || parts.includes("/../");
  return path.startsWith("/") && !odd;
}

/** As `join` of `node:path`, which is loaded only where it has something to do: it takes a twentieth of `status`. */
function join(folder: string, name: string): string {
  const path = `${folder}/${name}`;
  return isPlain(path) ? path : process.getBuiltinModule("node:path").join(folder, name);
}

function absolute(path: string): string {
  return isPlain(path) ? path : process.getBuiltinModule("node:path").resolve(path);
}

/** `~` and `~/…` stand for `home`, the person's home directory; everything else stays (also `~somebody`). */
export function expandHome(path: string, home: string): string {
  if (path === "~") return home;
  return path.startsWith("~/") ? join(home, path.slice(2)) : path;
}

/**
 * Where everything lies: `REVKA_HOME` or `~/.revka`; the configuration by `--config` (`flag`), `REVKA_CONFIG`, else
 * `config.toml` in it.
 */
export function resolvePaths(flag: string | null, env: Environment, home: string): Paths {
  // Absolute, since agents are told of files below it, and they run elsewhere.
  const own = absolute(expandHome(variable(env, "REVKA_HOME") ?? "~/.revka", home));
  const config = flag || (variable(env, "REVKA_CONFIG") ?? join(own, "config.toml"));
  return {
    home: own,
    config: expandHome(config, home),
    store: join(own, "revka.db"),
    socket: join(own, "revka.sock"),
    media: join(own, "media"),
  };
}

/** A copy of the file's tables in which every path key has its `~` expanded. */
export function expandPathKeys(value: RawTable, outline: Outline, home: string): RawTable {
  const expanded: RawTable = {};
  for (const [key, item] of Object.entries(value)) {
    const part = outline.kind === "table" ? outline.keys.get(key) : undefined;
    if (part?.kind === "text" && part.path && typeof item === "string") {
      expanded[key] = expandHome(item, home);
    } else expanded[key] = part && isTable(item) ? expandPathKeys(item, part, home) : item;
  }
  return expanded;
}

/** Where the original keeps the key of its `[secrets] encrypt = true`, the default. */
export function secretKeyBeside(configPath: string): string {
  const { dirname, join } = process.getBuiltinModule("node:path");
  return join(dirname(configPath), ".secret_key");
}
