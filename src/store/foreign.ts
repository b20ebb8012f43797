import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "./contract.ts";

const header = "SQLite format 3\0";

/**
 * Throws {@link StoreError} where what lies at `path` was never a store, as a mistyped path may say: it must stay as it
 * is, its mode too. A damaged store is known by its name, or by the lock that an earlier run left beside it.
 */
export function refuseForeignFile(path: string): void {
  if (!existsSync(path)) return;
  const found = statSync(path);
  if (!found.isFile()) throw new StoreError("failed", `that is no file: ${advice}`);
  if (found.size === 0 || path.endsWith(".db") || existsSync(`${path}.lock`)) return;
  if (beginning(path) !== header) {
    throw new StoreError(
      "failed",
      `that is a file of something else, and was left alone: ${advice}`,
    );
  }
}

/** The same of a database, which must not have been written to yet. */
export function refuseForeignDatabase(db: DatabaseSync): void {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  if (tables.length === 0 || tables.some(({ name }) => name === "inbox")) return;
  throw new StoreError(
    "failed",
    `that is a database of another program, and was left alone: ${advice}`,
  );
}

const advice = "set [store] path to a file that is Revka's own";

function beginning(path: string): string {
  const bytes = new Uint8Array(header.length);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes);
  } finally {
    closeSync(file);
  }
  return String.fromCharCode(...bytes);
}
