import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { writePrivateFile } from "./private-file.ts";
import { asSessionError, SessionError } from "./session-error.ts";

export interface SessionLock {
  release(): void;
}

/**
 * One process at a time: two clients on one session corrupt its ratchets. The lock is SQLite's exclusive lock on
 * `<session_path>.lock`, which the operating system drops with the process, so a killed daemon leaves nothing stale.
 * Throws {@link SessionError}, `locked` where another process has it.
 */
export function lockSession(sessionPath: string): SessionLock {
  try {
    return lockFile(`${sessionPath}.lock`);
  } catch (error) {
    throw asSessionError(error);
  }
}

function lockFile(path: string): SessionLock {
  if (!existsSync(path)) {
    try {
      writePrivateFile(path, "");
    } catch (error) {
      // Two starts at once: whoever comes second finds the file and loses below.
      if (!existsSync(path)) throw error;
    }
  }
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new SessionError(
      "locked",
      "another process uses this WhatsApp session: stop it first (see `revka status`), or give this daemon another session_path",
    );
  }
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      database.close();
    },
  };
}

/** SQLITE_BUSY or SQLITE_LOCKED; on a full disk, say, nobody else has it. */
function isBusy(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  return code === 5 || code === 6;
}
