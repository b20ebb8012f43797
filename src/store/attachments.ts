import type { Database } from "./database.ts";

/** Files that belong to messages, and how much they are in all. */
export class Attachments {
  /** Counted once and then carried on; null after a rollback. */
  #bytes: number | null = null;

  constructor(readonly database: Database) {}

  /** Bytes of all files. */
  bytes(): number {
    if (this.#bytes === null) {
      const row = this.database
        .sql("SELECT ifnull(sum(bytes), 0) AS bytes FROM attachments")
        .get() as { bytes: number };
      this.#bytes = row.bytes;
    }
    return this.#bytes;
  }

  /** Forgets what is counted: after a rollback it may never have been. */
  forget(): void {
    this.#bytes = null;
  }

  pathsOf(message: number): string[] {
    const rows = this.database
      .sql("SELECT path FROM attachments WHERE message = ? ORDER BY id")
      .all(message);
    return rows.map((row) => String(row["path"]));
  }

  /** A file that a repeated turn lays down again counts once. Runs inside a transaction. */
  add(message: number, files: { path: string; bytes: number }[]): void {
    for (const { path, bytes } of files) {
      const before = this.database
        .sql("DELETE FROM attachments WHERE message = ? AND path = ? RETURNING bytes")
        .all(message, path);
      this.database
        .sql("INSERT INTO attachments (message, path, bytes) VALUES (?, ?, ?)")
        .run(message, path, bytes);
      this.#count(bytes - sum(before));
    }
  }

  /** Runs inside a transaction. */
  remove(ids: number[]): void {
    for (const id of ids) {
      const gone = this.database
        .sql("DELETE FROM attachments WHERE id = ? RETURNING bytes")
        .all(id);
      this.#count(-sum(gone));
    }
  }

  #count(bytes: number): void {
    if (this.#bytes !== null) this.#bytes += bytes;
  }
}

function sum(rows: Record<string, unknown>[]): number {
  return rows.reduce((total, row) => total + Number(row["bytes"]), 0);
}
