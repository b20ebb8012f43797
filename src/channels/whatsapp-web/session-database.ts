import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, renameSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { PAGE_SIZE, WriteAheadLog } from "../../runtime/write-ahead-log.ts";
import { writePrivateFile } from "./private-file.ts";
import { type Seal, createSeal } from "./seal.ts";
import { asSessionError, SessionError } from "./session-error.ts";
import { APPLICATION_ID } from "./session-header.ts";
import { deriveKey, findSessionSecret } from "./session-key.ts";
import { type SessionLock, lockSession } from "./session-lock.ts";

const SCHEMA_VERSION = 1;
/** What the log may hold before it is folded into the file, bytes; about SQLite's own default. */
const LOG_LIMIT = 4 * 1024 * 1024;
const KEY_CHECK = "meta:check";

/**
 * `entry` holds credentials and Signal keys; `received` the journal of decrypted stanzas, and of those whose content the
 * phone is asked for; `sent` what was sent, for retries. Names are in the clear, values sealed.
 */
const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE entry (type TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (type, id)) WITHOUT ROWID;
  CREATE TABLE received (
    number INTEGER PRIMARY KEY,
    part TEXT NOT NULL UNIQUE,
    stanza TEXT NOT NULL,
    message_id TEXT NOT NULL,
    parts INTEGER NOT NULL,
    attributes BLOB NOT NULL,
    plaintext BLOB,
    preview BLOB,
    at INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX received_open ON received (done, number);
  CREATE INDEX received_message ON received (message_id);
  CREATE INDEX received_age ON received (at);
  CREATE TABLE sent (
    id TEXT PRIMARY KEY,
    delivery TEXT,
    chat TEXT NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX sent_age ON sent (at);
`;
/** Also for a file of an earlier version. */
const LATER_INDEX =
  "CREATE INDEX IF NOT EXISTS received_stanza ON received (stanza) WHERE done = 0";

export interface SessionLocation {
  /** `session_path`, absolute. */
  path: string;
  env: Record<string, string | undefined>;
  /** For what follows a session that has just left and is not settled yet: that one is not taken back. */
  follows?: boolean;
}

/** The one file of a linked device: locked, sealed, durable. All its errors are {@link SessionError}s. */
export class SessionDatabase {
  private constructor(
    readonly path: string,
    readonly sql: DatabaseSync,
    readonly seal: Seal,
    readonly log: WriteAheadLog,
    private readonly lock: SessionLock,
  ) {}

  /** Opens the session, or makes an empty one where nothing lies at the path. */
  static open({ path, env, follows = false }: SessionLocation): SessionDatabase {
    refuseFolder(path);
    let lock: SessionLock | null = lockSession(path);
    let sql: DatabaseSync | undefined;
    try {
      if (holdsAnything(path)) refuseForeign(path);
      if (!follows && takeBack(path)) {
        // What lies there now may be a link, and has its lock beside its target.
        lock.release();
        lock = null;
        lock = lockSession(path);
      }
      const sessionExists = holdsAnything(path);
      const secret = findSessionSecret({ env, sessionPath: path, sessionExists });
      if (!existsSync(path)) writePrivateFile(path, "");
      if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
      sql = new DatabaseSync(path, { timeout: 1000 });
      sql.exec(`${PAGE_SIZE}; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON`);
      const salt = createSchema(sql);
      const seal = createSeal(deriveKey(secret, salt));
      checkKey(sql, seal);
      return new SessionDatabase(path, sql, seal, new WriteAheadLog(sql, path, LOG_LIMIT), lock);
    } catch (error) {
      sql?.close();
      lock?.release();
      throw asSessionError(error);
    }
  }

  /** As {@link commit}, and durable once it returns. */
  transaction(work: () => void): void {
    this.log.finish();
    this.commit(work);
    this.log.committed(() => {});
    this.log.finish();
  }

  /** Runs `work` as one transaction: all of it or, where it throws, nothing. Durable once {@link log} says so. */
  commit(work: () => void): void {
    this.sql.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.sql.exec("COMMIT");
    } catch (error) {
      if (this.sql.isTransaction) this.sql.exec("ROLLBACK");
      throw error;
    }
  }

  /** Writes everything into the one file, so that a copy of it and its key is a backup. */
  close(): void {
    try {
      this.closeFile();
    } finally {
      this.lock.release();
    }
  }

  /**
   * Closes, and moves the file out of its place: a session that was logged out is kept, never deleted. Until it is
   * settled where it stays, the next opening takes it back, so that what it holds is not lost to a crash. Settled, it
   * holds nothing of type `forget` any more, as far as it can be written.
   */
  leave(forget: string | null = null): { settle(now: number): string } {
    const { path } = this;
    try {
      this.closeFile();
      rename(path, leaving(path));
    } finally {
      this.lock.release();
    }
    return {
      settle(now) {
        const aside = asideOf(path, now);
        rename(leaving(path), aside);
        if (forget !== null) forgetIn(aside, forget);
        return aside;
      },
    };
  }

  private closeFile(): void {
    this.log.finish();
    try {
      this.sql.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk, say: what was written stays in the log beside the file, and is read from there.
    }
    this.sql.close();
    this.log.close();
  }
}

/** What meant the file in its place, and would mean it again once a person puts it back. */
function forgetIn(aside: string, type: string): void {
  try {
    const sql = new DatabaseSync(aside);
    try {
      sql.prepare("DELETE FROM entry WHERE type = ?").run(type);
    } finally {
      sql.close();
    }
  } catch {
    // A full disk, say: what it means is over soon.
  }
}

const leaving = (path: string) => `${path}.leaving`;

function asideOf(path: string, now: number): string {
  return `${path}.logged-out-${new Date(now).toISOString().replace(/[:.]/g, "-")}`;
}

/** The file, and then what a full disk left in the log beside it. */
const SUFFIXES = ["", "-wal", "-shm"];

function rename(from: string, to: string, suffixes = SUFFIXES): void {
  for (const suffix of suffixes) {
    if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
  }
}

/** A crash came between a session that left and what was to follow it, which then knows no phone yet. Answers whether it did. */
function takeBack(path: string): boolean {
  if (!existsSync(leaving(path))) {
    // A log whose file is aside already: beside the next file that leaves, it would be taken for that one's.
    const log = statSync(`${leaving(path)}-wal`, { throwIfNoEntry: false });
    if (log) rename(leaving(path), asideOf(path, log.mtimeMs));
    return false;
  }
  // Logs first: that of one file must never lie beside another, and a file without its own lacks what is only in there.
  const logsFirst = SUFFIXES.toReversed();
  const next = statSync(path, { throwIfNoEntry: false });
  if (next) rename(path, asideOf(path, next.mtimeMs), logsFirst);
  rename(leaving(path), path, logsFirst);
  return true;
}

function holdsAnything(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0;
}

/** Nothing is made beside it, nor is its mode changed. */
function refuseFolder(path: string): void {
  if (!existsSync(path) || statSync(path).isFile()) return;
  throw new SessionError("foreign", `${path} is no file: choose another session_path`);
}

/** Looks before anything is written: a file of another program must stay as it is. */
function refuseForeign(path: string): void {
  try {
    const sql = new DatabaseSync(path);
    try {
      const id = sql.prepare("PRAGMA application_id").get()?.application_id;
      if (id === APPLICATION_ID) return;
      const tables = sql.prepare("SELECT count(*) AS count FROM sqlite_master").get()?.count;
      if (id === 0 && tables === 0) return;
    } finally {
      sql.close();
    }
  } catch {
    // not a database at all
  }
  throw new SessionError(
    "foreign",
    "the file at session_path is not a session of this Revka (the original's cannot be used): move it away, or set another session_path, and link the phone anew",
  );
}

/** Makes the tables in an empty file; answers the salt of its passphrase. */
function createSchema(sql: DatabaseSync): Uint8Array {
  const version = sql.prepare("PRAGMA user_version").get()?.user_version;
  if (version === 0) {
    sql.exec("BEGIN IMMEDIATE");
    sql.exec(SCHEMA);
    sql.prepare("INSERT INTO meta VALUES ('salt', ?)").run(randomBytes(16));
    sql.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    sql.exec("COMMIT");
  } else if (version !== SCHEMA_VERSION) {
    throw new SessionError(
      "unusable",
      "a newer Revka wrote this WhatsApp session: use that version",
    );
  }
  sql.exec(LATER_INDEX);
  const salt = sql.prepare("SELECT value FROM meta WHERE name = 'salt'").get()?.value;
  if (!(salt instanceof Uint8Array)) {
    throw new SessionError("damaged", "the WhatsApp session is damaged: restore it from a backup");
  }
  return salt;
}

function checkKey(sql: DatabaseSync, seal: Seal): void {
  const check = sql.prepare("SELECT value FROM meta WHERE name = 'check'").get()?.value;
  if (check === undefined) {
    sql
      .prepare("INSERT INTO meta VALUES ('check', ?)")
      .run(seal.close(KEY_CHECK, Buffer.alloc(16)));
    return;
  }
  try {
    if (check instanceof Uint8Array) return void seal.open(KEY_CHECK, check);
  } catch {
    // answered below
  }
  throw new SessionError(
    "wrong_key",
    "the session key does not open this WhatsApp session: set the key it was made with (REVKA_SESSION_KEY, the systemd credential, or the .key file). The session was left as it is",
  );
}
