import { existsSync } from "node:fs";
import { beginningOf } from "../../runtime/beginning.ts";
import { targetOf } from "../../runtime/target-of.ts";

/** "RvkW": tells our file from the session of another program at the same path. */
export const APPLICATION_ID = 0x52766b57;

const format = "SQLite format 3\0";

/**
 * Whether another program, the original for instance, wrote the session file at `path`, as far as its first bytes tell;
 * false where they cannot be read. Makes nothing beside it. https://sqlite.org/fileformat.html#the_database_header
 */
export function isForeignSession(path: string): boolean {
  const header = headerOf(path);
  if (header === null) return false;
  if (header.toString("latin1", 0, format.length) !== format) return true;
  const id = header.readUInt32BE(68);
  // One that was never closed may have its id, and its tables, in the log beside it alone.
  const young = header.readUInt32BE(28) <= 1 || existsSync(`${targetOf(path)}-wal`);
  return id !== APPLICATION_ID && !(id === 0 && young);
}

/** Null for an empty file, and for one that cannot be read. */
function headerOf(path: string): Buffer | null {
  try {
    const read = beginningOf(path, 100);
    return read.length === 0 ? null : Buffer.concat([read], 100);
  } catch {
    return null;
  }
}
