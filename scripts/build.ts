import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildExecutable } from "./build/executable.ts";
import { readRevision } from "./build/revision.ts";
import { hostTarget, isTarget, targets } from "./build/target.ts";
import { variantOf, variantSuffix } from "./build/variant.ts";

/**
 * Builds one executable: `bun run build [--features whatsapp-web] [--target linux-arm64] [--outfile FILE]`. Without a
 * target it is for this machine, in `dist/`.
 */

const root = join(import.meta.dir, "..");

try {
  const { values } = parseArgs({
    options: {
      features: { type: "string" },
      target: { type: "string" },
      outfile: { type: "string" },
    },
  });
  const variant = variantOf(values.features);
  const target = values.target ?? hostTarget();
  if (!isTarget(target)) {
    throw new Error(`unknown target "${target}"; there are ${targets.join(", ")}`);
  }
  const name = `revka${values.target ? `-${target}` : ""}${variantSuffix(variant)}`;
  const { file, bytes } = await buildExecutable({
    root,
    variant,
    target,
    revision: readRevision(root),
    outfile: values.outfile ?? join(root, "dist", name),
  });
  console.log(`${file} (${(bytes / 1e6).toFixed(1)} MB, ${variant}, ${target})`);
} catch (error) {
  console.error(`build: ${error instanceof AggregateError ? error.errors.join("\n") : error}`);
  process.exit(1);
}
