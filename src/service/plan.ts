/** What is to run as a service, and as whom. Paths are absolute. */
export interface ServiceRequest {
  /** Program and first arguments that start `revka`: the binary, or the runtime and `src/main.ts`. */
  executable: readonly [string, ...string[]];
  /** `system` starts at boot under `account`; `user` belongs to the person who installs it. */
  scope: "system" | "user";
  /** Account of a system service; null gives it one of its own, that exists only while it runs (systemd). */
  account: string | null;
  /** REVKA_HOME of the service. */
  home: string;
  config: string;
  /** Folders outside of `home` that the daemon writes to. */
  writable: readonly string[];
  /** Credentials the service manager hands over: name and file. */
  credentials: readonly { name: string; file: string }[];
  /** Such as `512M`; null sets no limit. */
  memoryMax: string | null;
  /** Major version of systemd where it is known, else null: then the newest directives are used. */
  systemdVersion: number | null;
}

/** Of a service that has an account of its own, which has no home directory. */
export const ownAccountPlaces = { config: "/etc/revka/config.toml", home: "/var/lib/revka" };

export const serviceVerbs = [
  "install",
  "uninstall",
  "start",
  "stop",
  "restart",
  "status",
  "logs",
] as const;
export type ServiceVerb = (typeof serviceVerbs)[number];

export interface ServiceFile {
  path: string;
  /** Permission bits. */
  mode: number;
  content: string;
}

/** A program to run; `optional` where its failure stops nothing. */
export interface ServiceStep {
  command: readonly [string, ...string[]];
  optional?: boolean;
}

/** What a verb does, in order: run `before`, write, remove, run `after`. Data only, so that `--dry-run` can show it. */
export interface ServicePlan {
  folders: readonly { path: string; mode: number }[];
  before: readonly ServiceStep[];
  files: readonly ServiceFile[];
  remove: readonly string[];
  after: readonly ServiceStep[];
  /** Whether the manager leaves it to others to wait until the daemon is up. */
  waits: boolean;
  /** Run where the last step failed, or the daemon is not up in time, to show why. */
  trouble: readonly ServiceStep[];
  /** Sentences for the person, once it is done. */
  notes: readonly string[];
}

export const emptyPlan: ServicePlan = {
  folders: [],
  before: [],
  files: [],
  remove: [],
  after: [],
  waits: false,
  trouble: [],
  notes: [],
};

/** A request that this service manager cannot carry out; the message says what to do. */
export class ServiceRefusal extends Error {
  override readonly name = "ServiceRefusal";
}

/** Unit files and scripts are lines: a line break in a path would add a line of someone's choosing. */
export function oneLine(value: string): string {
  if (/[\p{Cc}]/u.test(value)) {
    throw new ServiceRefusal(
      `${JSON.stringify(value)} holds a control character; use another path`,
    );
  }
  return value;
}

/** What an uninstalled service leaves behind, for the person. */
export function whatStays({ home, config }: ServiceRequest): string {
  return config.startsWith(`${home}/`)
    ? `Config, messages and session stay in ${home}.`
    : `Messages and session stay in ${home}, the config is ${config}.`;
}
