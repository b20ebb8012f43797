import { accessSync, constants, existsSync, lstatSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buildInfo } from "../../runtime/build-info.ts";
import { StoreError } from "../../store/contract.ts";
import { toStoreError } from "../../store/database.ts";
import { foreignAdvice, foreignDatabase, foreignFile } from "../../store/foreign.ts";
import { schemaVersion } from "../../store/migrations.ts";
import { shellQuote } from "../../runtime/shell-quote.ts";
import { targetOf } from "../../runtime/target-of.ts";
import { error, info, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

const megabyte = 1024 * 1024;
const scarceBytes = 500 * megabyte;
const tooLittleBytes = 50 * megabyte;

export const machineProbes: Probe[] = [
  { group: "store", name: "database", run: ({ loaded }) => databaseVerdicts(loaded.paths.store) },
  { group: "store", name: "space", run: ({ loaded }) => spaceVerdicts(loaded.paths.store) },
  { group: "store", name: "attachments", run: ({ loaded }) => mediaVerdicts(loaded.paths.media) },
  { group: "clock", name: "clock", run: ({ clock }) => [clockVerdict(clock.now())] },
  { group: "daemon", name: "daemon", run: daemonVerdicts },
];

function databaseVerdicts(path: string): Verdict[] {
  if (!existsSync(path)) return [newStoreVerdict(path)];
  if (!statSync(path).isFile()) {
    return [error("database", `${path} is no file`, "set [store] path to a file")];
  }
  const verdicts: Verdict[] = [];
  let database: DatabaseSync | undefined;
  try {
    const foreign = foreignFile(path);
    if (foreign !== null) return [foreignVerdict(path, foreign)];
    database = new DatabaseSync(path, { readOnly: true });
    database.exec("PRAGMA busy_timeout = 2000");
    const other = foreignDatabase(database);
    if (other !== null) return [foreignVerdict(path, other)];
    schemaVersion(database);
    const answer = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (answer !== "ok") {
      throw new StoreError("damaged", `it is damaged (${String(answer).replaceAll("\n", " ")})`);
    }
    accessSync(path, constants.R_OK | constants.W_OK);
    verdicts.push(ok("database", `${path} is sound and writable`));
  } catch (reason) {
    verdicts.push(brokenVerdict(path, reason));
  } finally {
    database?.close();
  }
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    verdicts.unshift(
      warning(
        "database mode",
        `others may read the messages in ${path}`,
        `chmod 600 ${shellQuote(path)}`,
      ),
    );
  }
  return verdicts;
}

/** Only what is damaged is called so: whoever reads it lays a backup over the file. */
function brokenVerdict(path: string, reason: unknown): Verdict {
  const { problem, message } = toStoreError(reason);
  if (problem === "damaged") {
    return error(
      "database",
      `${path}: ${message}`,
      "stop the daemon and restore a backup; else it is moved aside at the next start and begun anew",
    );
  }
  return problem === "readonly"
    ? error(
        "database",
        `${path} cannot be opened and written by this account`,
        "run this as the daemon's account, or give that account the file and its folder, on a disk that is not mounted read-only",
      )
    : error("database", `${path}: ${message}`, "mend that, then run revka doctor again");
}

function foreignVerdict(path: string, what: string): Verdict {
  return error("database", `${path}: that is ${what}`, foreignAdvice);
}

function newStoreVerdict(path: string): Verdict {
  const above = nearest(path, existsSync);
  if (!isFolder(above)) return error("database", `${above} is no folder`, "see to [store] path");
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
    ? error("database", `${path} is a link to nothing`, foreignAdvice)
    : info("database", `${path} is made at the first start`);
}

/** The first of the folders that `path` is in, from the inside, of which `test` holds. */
function nearest(path: string, test: (folder: string) => boolean): string {
  let folder = dirname(path);
  while (!test(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory();

function spaceVerdicts(path: string): Verdict[] {
  const folder = nearest(targetOf(path), isFolder);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return [
      error(
        "folder",
        `${folder} is not writable for you`,
        "run as the daemon's account, or mend it",
      ),
    ];
  }
  const { bavail, bsize } = statfsSync(folder);
  return [spaceVerdict(bavail * bsize, folder)];
}

/** `free` in bytes. */
export function spaceVerdict(free: number, folder: string): Verdict {
  const message = `${Math.floor(free / megabyte)} MB are free in ${folder}`;
  if (free < tooLittleBytes) return error("space", message, "free some space, or nothing is kept");
  if (free < scarceBytes) return warning("space", message, "free some space soon");
  return ok("space", message);
}

/** Where nothing is yet, the daemon makes it with the first attachment. */
function mediaVerdicts(folder: string): Verdict[] {
  if (!lstatSync(folder, { throwIfNoEntry: false })) return [];
  if (!isFolder(folder)) {
    const next = "move it away: the daemon makes a folder there";
    return [error("attachments", `${folder} is no folder, and attachments go there`, next)];
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return [ok("attachments", `${folder} is writable`)];
  } catch {
    return [
      error(
        "attachments",
        `${folder} is not writable for you, and attachments go there`,
        "run as the daemon's account, or mend it",
      ),
    ];
  }
}

/** A clock before the build, or before this program existed, breaks TLS and every retention. */
export function clockVerdict(now: number, builtAt = buildInfo.builtAt): Verdict {
  const earliest = builtAt || Date.parse("2026-01-01T00:00:00Z");
  const shown = new Date(now).toISOString();
  return now < earliest
    ? error(
        "clock",
        `this machine's clock says ${shown}, which is in the past`,
        "switch on time sync",
      )
    : ok("clock", `says ${shown}`);
}

function daemonVerdicts({ status, unheard }: Examination): Verdict[] {
  if (unheard !== undefined) {
    return [error("daemon", unheard, "mend that first: part of the rest depends on it")];
  }
  if (!status) {
    return [info("daemon", "is not running", "revka daemon, or revka service start")];
  }
  const verdicts = [ok("daemon", `runs with pid ${status.daemon.pid}, version ${status.version}`)];
  if (status.version !== buildInfo.version) {
    verdicts.push(
      warning("version", `this is ${buildInfo.version}, the daemon another`, "restart the daemon"),
    );
  }
  for (const { channel, state, reason, linking } of status.channels) {
    if (state === "ready") verdicts.push(ok(channel, "is ready"));
    else if (linking) {
      verdicts.push(warning(channel, "waits for a phone to link it", "revka link shows the code"));
    } else {
      const word = state.replace("_", " ");
      const next =
        state === "logged_out"
          ? "revka relink"
          : "see revka status and the log; a changed config takes a restart";
      verdicts.push(error(channel, `is ${word}${reason ? `: ${reason}` : ""}`, next));
    }
  }
  for (const { source, code, hint } of status.alarms) {
    verdicts.push(error(source, `${code}: ${hint}`, "see revka status"));
  }
  if (status.outbox.failed > 0) {
    verdicts.push(
      warning(
        "failed deliveries",
        `${status.outbox.failed} could not be sent`,
        "revka status lists them; revka redeliver ID tries again",
      ),
    );
  }
  return verdicts;
}
