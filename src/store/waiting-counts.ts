import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { targetOf } from "../runtime/target-of.ts";

export interface WaitingCounts {
  messages: number;
  deliveries: number;
  failed: number;
}

/**
 * What waits in the store at this path, while no daemon has it open: read and not changed. null where there is no store
 * that can be read.
 */
export function waitingIn(path: string): WaitingCounts | null {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(isWhole(path) ? asItLies(path) : path, { readOnly: true });
    database.exec("PRAGMA busy_timeout = 1000");
    const row = database
      .prepare(
        `SELECT (SELECT count(*) FROM inbox INDEXED BY inbox_waiting WHERE state = 0) AS messages,
                (SELECT count(*) FROM outbox INDEXED BY outbox_open WHERE state < 2) AS deliveries,
                (SELECT count(*) FROM outbox INDEXED BY outbox_failed WHERE state = 3) AS failed`,
      )
      .get();
    return row ? (row as unknown as WaitingCounts) : null;
  } catch {
    return null;
  } finally {
    database?.close();
  }
}

/** Nothing of it stands in a log beside it. */
function isWhole(path: string): boolean {
  return !statSync(`${targetOf(path)}-wal`, { throwIfNoEntry: false })?.size;
}

/** Else a log and its index would be laid beside it, and stay. */
function asItLies(path: string): URL {
  const address = pathToFileURL(path);
  address.searchParams.set("immutable", "1");
  return address;
}
