import { targetOf } from "../../runtime/target-of.ts";
import { closeSync, existsSync, openSync, readSync } from "node:fs";

/** "RvkW": tells our file from the session of another program at the same path. */
export const APPLICATION_ID = 0x52766b57;

const format = "SQLite format 3\0";

/**
 * Whether another program, the original for instance, wrote the session file at `path`, as far as its first bytes tell;
 * false where they cannot be read. Makes nothing beside it. https://sqlite.org/fileformat.html#the_database_header
 */
export function isForeignSession(path: string): boolean {
  const header = beginning(path);
  if (header === null) return false;
  if (header.toString("latin1", 0, format.length) !== format) return true;
  const id = header.readUInt32BE(68);
  // One that was never closed may have its id, and its tables, in the log beside it alone.
  const young = header.readUInt32BE(28) <= 1 || existsSync(`${targetOf(path)}-wal`);
  return id !== APPLICATION_ID && !(id === 0 && young);
}

/** Null for an empty file, and for one that cannot be read. */
function beginning(path: string): Buffer | null {
  const header = Buffer.alloc(100);
  try {
    const file = openSync(path, "r");
    try {
      return readSync(file, header) === 0 ? null : header;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}
