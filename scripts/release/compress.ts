import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Compresses the pieces into `file` with one thread, whose output depends on nothing but them. Needs `xz`. */
export async function compress(pieces: readonly Uint8Array[], file: string): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const xz = spawn("xz", ["-9e", "--threads=1", "--stdout"], {
    // XZ_DEFAULTS and XZ_OPT would change the result.
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    xz.on("error", (error) => reject(new Error(`xz did not start: ${error.message}`)));
    xz.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`xz ended with ${code}`))));
  });
  try {
    await Promise.all([
      pipeline(Readable.from(pieces), xz.stdin),
      pipeline(xz.stdout, createWriteStream(unfinished)),
      ended,
    ]);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
