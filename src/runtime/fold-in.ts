import type { DatabaseSync } from "node:sqlite";

const FULL = 13;

/**
 * Writes what stands in the WAL into its file, and syncs that. Do it with what an earlier process left, before anything
 * rests on it: it is read like all else, but may be in memory alone where that process was killed, or where the disk
 * refused it. A full disk keeps it in the WAL, synced. Throws what else SQLite says.
 */
export function foldIn(db: DatabaseSync): void {
  try {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    const full = error instanceof Error && "errcode" in error && error.errcode === FULL;
    if (!full) throw error;
  }
}
