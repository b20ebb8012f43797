import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Target } from "../build/target.ts";

const mebibyte = 1024 * 1024;
/** Unpacking takes as much memory as that, and a Raspberry Pi Zero 2 W has 512 MiB for everything. */
const dictionary = 64 * mebibyte;
/** What `xz -d` needs at most, bytes: the dictionary and a little. */
export const memoryToUnpack = dictionary + 2 * mebibyte;

/**
 * The filters for an archive that holds an executable for `target`. Only what xz 5.0 can unpack: its filter for ARM64
 * came with 5.4, which Debian 11 does not have, and these archives keep their bound without it.
 */
function filtersFor(target: Target | null): string[] {
  const lzma = `--lzma2=preset=9e,dict=${dictionary}`;
  if (target?.includes("x64")) return ["--x86", lzma];
  // Instructions of four bytes, aligned: positions modulo four predict more than a third bit of the byte before.
  return [target?.includes("arm64") ? `${lzma},lc=2,lp=2` : lzma];
}

/**
 * Compresses the pieces into `file` with one thread, whose output depends on nothing but them. `target` is the machine
 * that an executable among them is for. Needs `xz`.
 */
export async function compress(
  pieces: readonly Uint8Array[],
  file: string,
  target: Target | null = null,
): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const xz = spawn("xz", [...filtersFor(target), "--threads=1", "--stdout"], {
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
