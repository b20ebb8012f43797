import { constants, open, readFile, rm, rmdir, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { readOpus, type OpusInfo } from "../speech/ogg.ts";

/** Enough for every magic number, bytes. */
const HEAD = 4100;

/** The first bytes of a file, as many as tell what it is. */
export async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    return await readHead(file);
  } finally {
    await file.close();
  }
}

async function readHead(file: FileHandle): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD), 0, HEAD, 0);
  return buffer.subarray(0, bytesRead);
}

/** A file as it is found. */
export interface FoundFile {
  /** Bytes. */
  size: number;
  head: Uint8Array;
}

/** Looks at a regular file; null where there is none. No link is followed, and no pipe waited for. */
export async function findFile(path: string): Promise<FoundFile | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (!file) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) return null;
    return { size: found.size, head: await readHead(file) };
  } finally {
    await file.close();
  }
}

/** No platform takes longer sound, bytes: what exceeds it is no voice note, and not held in memory to find out. */
const LONGEST_SOUND = 16 * 1024 * 1024;

/** What an Ogg/Opus file says of itself; null where it is none. */
export async function readOpusFile(path: string): Promise<OpusInfo | null> {
  if ((await stat(path)).size > LONGEST_SOUND) return null;
  return readOpus(await readFile(path));
}

/** Brings a file to disk, for its owner alone (0600): a delivery promises its file, so it must be there before. */
export async function syncFile(path: string): Promise<{ size: number }> {
  const file = await open(path, "r+");
  try {
    await file.chmod(0o600);
    await file.sync();
    return { size: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

/**
 * Makes a file that retention will know of. Retention takes away what was noted, and nothing else: where the work fails
 * after the file was begun, so that nothing notes it, it goes at once, and its folder with it if that is empty.
 */
export async function noted<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    await rmdir(dirname(path)).catch(() => {});
    throw error;
  }
}
