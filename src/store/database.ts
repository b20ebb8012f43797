import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { targetOf } from "../runtime/target-of.ts";
import { PAGE_SIZE, WriteAheadLog } from "../runtime/write-ahead-log.ts";
import { StoreError, type StoreProblem } from "./contract.ts";
import { foreignDatabase, refuseForeign } from "./foreign.ts";
import { migrate } from "./migrations.ts";

/**
 * What a WAL may hold before it is folded into the file, bytes: a page written again and again in that time is folded in
 * once. It is cut to as much then.
 */
const WAL_LIMIT = 16 * 1024 * 1024;

/** A file up to this size is checked at every start (a fraction of a second); a larger one after an unclean end. */
const CHECKED_ALWAYS = 64 * 1024 * 1024;

interface Pending {
  run(): unknown;
  undone(): void;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One write, after its transaction. */
interface Settled {
  committed: boolean;
  /** Resolves or rejects what the writer was promised. */
  tell(): void;
}

/**
 * One SQLite file and its one writer. Writes of one event-loop turn share a transaction, and so do those that come while
 * the last one is on its way to the disk: each promise resolves when its commit is there.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #log: WriteAheadLog;
  readonly #statements = new Map<string, StatementSync>();
  #queue: Pending[] = [];
  #closed = false;

  private constructor(db: DatabaseSync, log: WriteAheadLog) {
    this.#db = db;
    this.#log = log;
    log.onFree = () => {
      if (this.#queue.length > 0) this.#commitSoon();
    };
  }

  /**
   * Opens and migrates. A file up to `checkedAlways` bytes is checked for damage first, a larger one only after an
   * unclean end, of which a WAL that was not folded in tells. Throws {@link StoreError}; `damaged` where the file is
   * no sound database.
   */
  static open(path: string, checkedAlways: number = CHECKED_ALWAYS): Database {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const check = sizeOf(`${targetOf(path)}-wal`) > 0 || sizeOf(path) <= checkedAlways;
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      refuseForeign(foreignDatabase(db));
      if ((statSync(path).mode & 0o077) !== 0) {
        // What SQLite makes beside a file gets the mode of that.
        db.close();
        chmodSync(path, 0o600);
        db = new DatabaseSync(path);
      }
      db.exec(PAGE_SIZE);
      db.exec("PRAGMA journal_mode = WAL");
      db.exec("PRAGMA busy_timeout = 2000");
      db.exec("PRAGMA temp_store = MEMORY");
      db.exec("PRAGMA cache_size = -4096");
      db.exec(`PRAGMA journal_size_limit = ${WAL_LIMIT}`);
      if (check) quickCheck(db);
      migrate(db);
      return new Database(db, new WriteAheadLog(db, path, WAL_LIMIT));
    } catch (error) {
      db?.close();
      throw toStoreError(error);
    }
  }

  /**
   * A prepared statement, made once. Where a query has an ORDER BY or a join, SQLite plans it anew for each value that
   * is compared with a column (`= ?`), and any for each limit (`LIMIT ?`), which costs more than the query; an expression
   * (`+?`) it plans once.
   */
  sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /**
   * Runs `run` inside the next transaction; it must be synchronous and may run again alone if a neighbour fails.
   * `undone` is called once after each rollback, for what `run` changed in memory.
   */
  write<T>(run: () => T, undone: () => void = () => {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(new StoreError("failed", "the store is closed"));
      if (this.#queue.length === 0 && this.#log.free) this.#commitSoon();
      this.#queue.push({ run, undone, resolve: (value) => resolve(value as T), reject });
    });
  }

  #commitSoon(): void {
    setImmediate(() => {
      if (this.#log.free) this.#commit();
    });
  }

  #commit(): void {
    const { committed, settle } = this.#run(this.#queue.splice(0));
    if (committed) this.#log.committed(settle);
    else settle();
  }

  /** `settle` tells everybody of the group; where anything was committed, once that is on the disk. */
  #run(group: Pending[]): { committed: boolean; settle: () => void } {
    const settled = group.length === 0 ? [] : this.#together(group);
    return {
      committed: settled.some(({ committed }) => committed),
      settle: () => {
        for (const { tell } of settled) tell();
      },
    };
  }

  #together(group: Pending[]): Settled[] {
    try {
      const values = this.#transaction(() => group.map((entry) => entry.run()));
      return group.map((entry, index) => ({
        committed: true,
        tell: () => entry.resolve(values[index]),
      }));
    } catch (error) {
      const failure = toStoreError(error);
      for (const undone of new Set(group.map((entry) => entry.undone))) undone();
      if (group.length > 1 && failure.problem === "failed") {
        return group.map((entry) => this.#alone(entry));
      }
      return group.map((entry) => ({ committed: false, tell: () => entry.reject(failure) }));
    }
  }

  /** One bad write must not cost its neighbours. */
  #alone(entry: Pending): Settled {
    try {
      const value = this.#transaction(() => entry.run());
      return { committed: true, tell: () => entry.resolve(value) };
    } catch (error) {
      entry.undone();
      return { committed: false, tell: () => entry.reject(toStoreError(error)) };
    }
  }

  #transaction<T>(run: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const value = run();
      this.#db.exec("COMMIT");
      return value;
    } catch (error) {
      try {
        this.#db.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself (full disk, I/O error).
      }
      throw error;
    }
  }

  /** Commits what waits, folds the WAL into the file and lets go of it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#log.finish();
    this.#commit();
    this.#log.finish();
    try {
      this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk keeps the WAL; it is read again at the next start.
    }
    this.#statements.clear();
    this.#db.close();
    this.#log.close();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function quickCheck(db: DatabaseSync): void {
  const { quick_check: found } = db.prepare("PRAGMA quick_check(1)").get() as {
    quick_check: string;
  };
  if (found !== "ok") throw new StoreError("damaged", found);
}

/** Moves a damaged store and its WAL aside, never deleting it. Answers the new name. */
export function moveAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  const target = `${path}.damaged-${stamp}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}

const problems: Record<number, StoreProblem> = {
  5: "busy",
  6: "busy",
  8: "readonly",
  10: "failed",
  11: "damaged",
  13: "full",
  14: "readonly",
  26: "damaged",
};

const advice: Record<StoreProblem, string> = {
  full: "the disk is full: free some space",
  readonly: "it cannot be written: check the file's owner, mode and mount",
  damaged: "it is damaged",
  busy: "another process holds it",
  failed: "the disk, its file system or SQLite failed: look into the system's log",
};

/** SQLite's result codes (sqlite.org/rescode.html) and Node's errno as one of our problems. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = sqliteCode(error);
  const io = /\bENOSPC\b|disk is full/i.test(message);
  const denied = /\b(EROFS|EACCES|EPERM)\b/.test(message);
  if (/\b(ENOTDIR|EEXIST|ENOENT)\b/.test(message)) {
    const what = /\bmkdir\b/.test(message) ? "its folder" : "it";
    return new StoreError("failed", `${what} cannot be made: see to [store] path (${message})`);
  }
  const problem: StoreProblem = io
    ? "full"
    : denied
      ? "readonly"
      : (problems[code & 0xff] ?? "failed");
  return new StoreError(problem, `${advice[problem]} (${message})`);
}

function sqliteCode(error: unknown): number {
  if (typeof error === "object" && error !== null && "errcode" in error) {
    return typeof error.errcode === "number" ? error.errcode : 0;
  }
  return 0;
}
