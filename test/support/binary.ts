import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildExecutable } from "../../scripts/build/executable.ts";
import { readRevision, sources } from "../../scripts/build/revision.ts";
import { hostTarget, type Target } from "../../scripts/build/target.ts";
import type { Variant } from "../../scripts/build/variant.ts";

export const root = join(import.meta.dir, "../..");

const building = new Map<string, Promise<string>>();

/** The path of an executable made of the sources as they are; built only where `dist/test` has none that is younger. */
export function binary(variant: Variant, target: Target = hostTarget()): Promise<string> {
  const file = join(root, "dist/test", `revka-${target}-${variant}`);
  const made = building.get(file) ?? build(file, variant, target);
  building.set(file, made);
  return made;
}

async function build(file: string, variant: Variant, target: Target): Promise<string> {
  if (modified(file) <= youngestSource()) {
    await buildExecutable({ root, variant, target, revision: readRevision(root), outfile: file });
  }
  return file;
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function youngestSource(): number {
  const youngest = sources.map((source) => {
    const path = join(root, source);
    const inside = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: "utf8" })
      : [];
    return Math.max(modified(path), ...inside.map((name) => modified(join(path, name))));
  });
  return Math.max(...youngest);
}
