import { closeSync, openSync, readSync } from "node:fs";

/** The first `length` bytes of a file, or all of a shorter one. Throws what the system says. */
export function beginningOf(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, "r");
  try {
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
