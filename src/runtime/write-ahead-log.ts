import { realpathSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { FileSync } from "./file-sync.ts";

/**
 * For a file that is yet to be made; others keep their size. A message changes a few bytes in each of a dozen pages, and
 * each of these is written whole: half of SQLite's own size writes a third less (`bun run bench disk`), as fast.
 */
export const PAGE_SIZE = "PRAGMA page_size = 2048";

/** SQLite's result code of a full disk. */
const FULL = 13;

/**
 * The write-ahead log of an SQLite file, whose commits are brought to the disk beside the event loop, and which is folded
 * into the file so too. SQLite would do both within a commit (`synchronous=FULL`, `wal_autocheckpoint`), and hold up
 * everything meanwhile.
 *
 * While it is not {@link free} nobody may commit: a log that is folded in is written anew from its beginning, and until
 * the file is on the disk nothing else holds what was there (https://sqlite.org/wal.html#checkpointing).
 */
export class WriteAheadLog {
  /** Called each time that commits may go on. */
  onFree: () => void = () => {};
  readonly #sql: DatabaseSync;
  readonly #log: FileSync;
  readonly #file: FileSync;
  /** Tells how many pages the log holds; null where SQLite cannot tell, and folds by itself. */
  readonly #length: StatementSync | null;
  /** Pages. */
  readonly #most: number;
  /** As far as it is folded in, pages; it begins anew with a commit after that, unless somebody still reads it. */
  #folded = 0;
  #free = true;
  /** What the next commit waits for, unless the fold is yet to begin. */
  #waitsFor: FileSync | undefined;
  #soon: ReturnType<typeof setImmediate> | undefined;

  /**
   * Of a database in WAL mode. What an earlier process left in the log is folded in first; later, it is once it holds
   * more than `mostBytes`. Throws what SQLite says.
   */
  constructor(sql: DatabaseSync, path: string, mostBytes: number) {
    sql.exec("PRAGMA synchronous = NORMAL");
    foldIn(sql);
    this.#sql = sql;
    const page = Number(sql.prepare("PRAGMA page_size").get()?.["page_size"]);
    this.#most = Math.floor(mostBytes / page);
    this.#length = tellsLength(sql) ? sql.prepare("PRAGMA wal_checkpoint(NOOP)") : null;
    sql.exec(`PRAGMA wal_autocheckpoint = ${this.#length ? 0 : this.#most}`);
    // Where the path is a link, SQLite keeps the log beside what it leads to.
    const file = realpathSync(path);
    this.#log = new FileSync(`${file}-wal`);
    this.#file = new FileSync(file);
  }

  get free(): boolean {
    return this.#free;
  }

  /** Call it after a commit; `done` once that is on the disk. */
  committed(done: () => void): void {
    this.#free = false;
    this.#begin(this.#log, () => {
      const pages = this.#pages();
      if (pages < this.#folded) this.#folded = 0;
      const long = pages - this.#folded > this.#most;
      // Who waited for the commit goes first, and may commit or finish at once.
      if (long) this.#soon = setImmediate(() => this.#fold(pages));
      else this.#free = true;
      done();
      if (!long) this.onFree();
    });
  }

  /** Returns once it is free: everything committed is on the disk. */
  finish(): void {
    while (this.#waitsFor) this.#waitsFor.finish();
    clearImmediate(this.#soon);
    if (!this.#free) this.#freed();
  }

  /** Call {@link finish} before, and close the database: to close a file takes SQLite's own locks on it away. */
  close(): void {
    this.#log.close();
    this.#file.close();
  }

  #fold(pages: number): void {
    this.#folded = pages;
    // All of the log is on the disk, and the file will be: SQLite need not wait for either.
    this.#sql.exec("PRAGMA synchronous = OFF");
    try {
      this.#sql.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // A full disk, say: the log keeps all, and grows.
    } finally {
      this.#sql.exec("PRAGMA synchronous = NORMAL");
    }
    this.#begin(this.#file, () => this.#freed());
  }

  #begin(file: FileSync, done: () => void): void {
    this.#waitsFor = file;
    file.begin(() => {
      this.#waitsFor = undefined;
      done();
    });
  }

  #freed(): void {
    this.#free = true;
    this.onFree();
  }

  #pages(): number {
    try {
      return Number(this.#length?.get()?.["log"] ?? 0);
    } catch {
      // A file that fails is for the next commit to tell.
      return 0;
    }
  }
}

/** SQLite 3.51 and later; an earlier one would fold at each question. */
function tellsLength(sql: DatabaseSync): boolean {
  const version = String(sql.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 3 || (major === 3 && minor >= 51);
}

/**
 * Writes what stands in the WAL into its file, and syncs that. Do it with what an earlier process left, before anything
 * rests on it: it is read like all else, but may be in memory alone where that process was killed, or where the disk
 * refused it. A full disk keeps it in the WAL, synced. Throws what else SQLite says.
 */
function foldIn(sql: DatabaseSync): void {
  try {
    sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    const full = error instanceof Error && "errcode" in error && error.errcode === FULL;
    if (!full) throw error;
  }
}
