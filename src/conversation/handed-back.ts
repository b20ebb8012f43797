import { constants, open, realpath, stat, type FileHandle } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { AgentError, type TurnRequest } from "../agent/agent.ts";

/** Largest file an agent may hand back, bytes: Meta's largest kind (documents). */
export const MAX_FILE = 100 * 1024 * 1024;

const PIECE = 64 * 1024;

/** A file that an agent hands back, open and checked. Whoever opens it closes `file`. */
export interface HandedBack {
  /** Where it lies, links followed. */
  path: string;
  file: FileHandle;
}

/**
 * Opens the file behind a path, links followed, if it lies where an agent may take files from. What is opened is what
 * was checked: no link put in its place meanwhile, no pipe that never answers. Throws {@link AgentError}.
 */
export async function openHandedBack(
  path: string,
  request: TurnRequest,
  mediaDir: string | null,
): Promise<HandedBack> {
  const found = await allowedPath(path, request, mediaDir);
  const before = await stat(found).catch(() => null);
  if (!before?.isFile()) throw refused("names something that is no file");
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(found, flags).catch(() => null);
  if (!file) throw refused("names a file that cannot be read");
  try {
    const opened = await file.stat();
    const same = opened.ino === before.ino && opened.dev === before.dev;
    if (!same || (await realpath(found).catch(() => null)) !== found) {
      throw refused("names a file that changed its place");
    }
    if (opened.size === 0) throw refused("names an empty file");
    if (opened.size > MAX_FILE) {
      throw refused(`names a file of over ${MAX_FILE / 1024 / 1024} MiB`);
    }
    return { path: found, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The bytes of an open file, as they are asked for. */
export function bytesOf(file: FileHandle): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE), 0, PIECE, null);
        if (bytesRead === 0) controller.close();
        else controller.enqueue(buffer.subarray(0, bytesRead));
      },
    },
    { highWaterMark: 0 },
  );
}

async function allowedPath(
  path: string,
  request: TurnRequest,
  mediaDir: string | null,
): Promise<string> {
  const found = await realpath(path).catch(() => null);
  if (found === null) throw refused("names a file that is not there");
  const own = request.messages.flatMap((message) =>
    message.attachments.flatMap((file) => (file.path === null ? [] : [dirname(file.path)])),
  );
  const folders = mediaDir === null ? own : [mediaDir, ...own];
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => null)));
  if (!roots.some((root) => root !== null && found.startsWith(root + sep))) {
    throw refused("names a file outside [agent] media_dir and the turn's own attachments");
  }
  return found;
}

function refused(what: string): AgentError {
  return new AgentError(`the answer ${what}`, true);
}
