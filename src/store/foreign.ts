import { existsSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { beginningOf } from "../runtime/beginning.ts";
import { targetOf } from "../runtime/target-of.ts";
import { StoreError } from "./contract.ts";

const header = "SQLite format 3\0";

/** What to do where one of these is found. */
export const foreignAdvice = "set [store] path to a file that is Revka's own";

/**
 * What lies at `path` where that was never a store, as a mistyped path may say: it must stay as it is, its mode too.
 * null for a store, a damaged one, and nothing. A damaged store is known by its name, or by the lock that an earlier
 * run left beside it.
 */
export function foreignFile(path: string): string | null {
  if (!existsSync(path)) return null;
  const found = statSync(path);
  if (!found.isFile()) return "no file";
  if (found.size === 0 || path.endsWith(".db") || existsSync(`${targetOf(path)}.lock`)) return null;
  return beginningOf(path, header.length).toString("latin1") === header
    ? null
    : "a file of something else";
}

/** The same of a database. */
export function foreignDatabase(db: DatabaseSync): string | null {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  const ours = tables.length === 0 || tables.some(({ name }) => name === "inbox");
  return ours ? null : "a database of another program";
}

/** Throws {@link StoreError} where something of another was found; it must not have been written to yet. */
export function refuseForeign(what: string | null): void {
  if (what === null) return;
  const left = what === "no file" ? "" : ", and was left alone";
  throw new StoreError("failed", `that is ${what}${left}: ${foreignAdvice}`);
}
