import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { targetOf } from "../../runtime/target-of.ts";
import { StoreError } from "../../store/contract.ts";
import { lockFile } from "../../store/lock.ts";
import { asSessionError, SessionError } from "./session-error.ts";

export interface SessionLock {
  release(): void;
}

/**
 * One process at a time, by {@link lockFile} on `<session_path>.lock`, of a link beside its target: two clients on one
 * session corrupt its ratchets.
 * Throws {@link SessionError}, `locked` where another process has it.
 */
export function lockSession(sessionPath: string): SessionLock {
  try {
    mkdirSync(dirname(sessionPath), { recursive: true, mode: 0o700 });
    // Two links may lead to one session.
    return lockFile(`${targetOf(sessionPath)}.lock`);
  } catch (error) {
    if (!(error instanceof StoreError)) throw asSessionError(error);
    throw new SessionError(
      "locked",
      "another process uses this WhatsApp session: stop it first (see `revka status`), or give this daemon another session_path",
    );
  }
}
