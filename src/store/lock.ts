import { accessSync, closeSync, constants, existsSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "./contract.ts";

/**
 * Holds `path` against any second process. The lock is the kernel's (SQLite's exclusive lock on a file beside what it
 * guards), so a kill releases it at once and nothing stale stays behind. Throws {@link StoreError} `busy` where another
 * process holds it, and what the system says where the file cannot be made.
 */
export function lockFile(path: string): { release(): void } {
  let db: DatabaseSync | undefined;
  try {
    // One that is there is not opened: to close it would let go of all that this process has locked in it (POSIX).
    if (existsSync(path)) accessSync(path, constants.W_OK);
    else closeSync(openSync(path, "a", 0o600));
    db = new DatabaseSync(path);
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("PRAGMA busy_timeout = 0");
    db.exec("PRAGMA journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
    if (code === 5 || code === 6) throw new StoreError("busy", "another process holds it");
    throw error;
  }
  const held = db;
  return { release: () => held.close() };
}
