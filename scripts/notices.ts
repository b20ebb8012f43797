import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { NoticesFile } from "../src/commands/licenses.ts";
import { noticesOf, packageFolder } from "../src/commands/licenses/notices.ts";

const metafile = z.object({ inputs: z.record(z.string(), z.unknown()) });

/**
 * Asks the bundler which files a build with these defines takes in, and writes the licences of their packages to
 * `file`, for `revka licenses`. Throws where the bundler fails.
 */
export function writeNotices(root: string, defines: Record<string, string>, file: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "revka-notices-"));
  try {
    const meta = join(scratch, "meta.json");
    const run = spawnSync(
      process.execPath,
      [
        "build",
        "--target=bun",
        "--minify",
        "--format=cjs",
        ...Object.entries(defines).flatMap(([name, value]) => ["--define", `${name}=${value}`]),
        `--metafile=${meta}`,
        `--outdir=${join(scratch, "out")}`,
        join(root, "src/main.ts"),
      ],
      { cwd: root, encoding: "utf8" },
    );
    if (run.status !== 0) throw new Error(`notices: the bundler failed\n${run.stderr}`);
    const { inputs } = metafile.parse(JSON.parse(readFileSync(meta, "utf8")));
    const folders = new Set<string>();
    for (const input of Object.keys(inputs)) {
      const folder = packageFolder(resolve(root, input));
      if (folder) folders.add(folder);
    }
    const notices: NoticesFile = {
      own: readFileSync(join(root, "LICENSE"), "utf8").trim(),
      packages: noticesOf(folders),
    };
    writeFileSync(file, JSON.stringify(notices));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
