import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { targetOf } from "../../runtime/target-of.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { LoadedConfig } from "../../config/load.ts";

/** What SQLite, its lock and a session's key add to the name of a file. */
const besides = ["", "-wal", "-shm", ".lock", ".key"];

/**
 * To be called before a daemon of root's makes anything. What it answers gives Revka's own files to whom the folder around
 * them belongs to, as SQLite does with the files beside its own: the account that the daemon usually runs as could not
 * open them again. Home and folders of the config that were there before stay whose they are.
 */
export function giverToOwners({ config, paths }: LoadedConfig, log: Logger): () => void {
  const session = config.channels_config.whatsapp?.session_path;
  const named = [paths.store, ...(session === undefined ? [] : [session])];
  const { media } = paths;
  const folders = [paths.home, ...named.map((file) => dirname(file))];
  const missing = folders.filter((folder) => !existsSync(folder));
  return () => {
    const files = [...named, ...named.map(targetOf)];
    const given = [
      ...missing,
      ...files.flatMap((file) => besides.map((end) => file + end)),
      paths.socket,
      media,
      ...(ofRoot(paths.home) ? [] : within(media)),
    ].filter(give).length;
    const sentence = "made by root in another account's folder: now that account's";
    if (given > 0) log.info({ files: given }, sentence);
  };
}

function ofRoot(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.uid === 0;
}

/** Everything below, a folder before what is in it. No link is followed: it may lead anywhere. */
function within(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? [path, ...within(path)] : [path];
    });
  } catch {
    return [];
  }
}

/**
 * A link itself is given, not what it leads to, nor a file that has another name: it may be the system's. What is not
 * there is not given, nor what a network's disk keeps.
 */
function give(path: string): boolean {
  let folder: number | undefined;
  try {
    folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    const { uid, gid } = fstatSync(folder);
    // By its number: whoever owns it may put a link to another folder in its place meanwhile.
    const held = `/proc/self/fd/${folder}`;
    const inside = join(existsSync(held) ? held : dirname(path), basename(path));
    const it = lstatSync(inside);
    if (uid === 0 || it.uid !== 0 || (it.nlink > 1 && !it.isDirectory())) return false;
    lchownSync(inside, uid, gid);
    return true;
  } catch {
    return false;
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}
