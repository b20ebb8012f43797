import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Run {
  code: number | null;
  out: string;
  err: string;
  tookMs: number;
}

/**
 * Runs a program to its end in a folder of its own, which holds `files` and nothing else, and which is its home and
 * temporary folder too. Of the environment only PATH is passed on.
 */
export async function runAlone(
  command: readonly string[],
  options: { files?: Record<string, string>; env?: Record<string, string> } = {},
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "revka-build-test-"));
  try {
    for (const [name, text] of Object.entries(options.files ?? {})) {
      writeFileSync(join(folder, name), text);
    }
    const [file = "", ...args] = command;
    const started = performance.now();
    const child = spawn(file, args, {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (part: Buffer) => (out += part.toString("utf8")));
    child.stderr.on("data", (part: Buffer) => (err += part.toString("utf8")));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("close", resolve);
      child.on("error", reject);
    });
    return { code, out, err, tookMs: performance.now() - started };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
