import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { writePrivateFile } from "./private-file.ts";
import { SessionError } from "./session-error.ts";

export interface SessionLock {
  release(): void;
}

/**
 * One process at a time: two clients on one session corrupt its ratchets. The lock is SQLite's exclusive lock on
 * `<session_path>.lock`, which the operating system drops with the process, so a killed daemon leaves nothing stale.
 * Throws {@link SessionError} `locked`.
 */
export function lockSession(sessionPath: string): SessionLock {
  const path = `${sessionPath}.lock`;
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
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch {
    database.close();
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
