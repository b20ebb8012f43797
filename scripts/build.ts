import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildExecutable } from "./build/executable.ts";
import { readRevision } from "./build/revision.ts";
import { hostTarget, isTarget, targets } from "./build/target.ts";
import { variantOf, variantSuffix } from "./build/variant.ts";

const usage = `Usage: bun run build [--features whatsapp-web] [--target NAME] [--outfile FILE]

Builds one executable. Without a target it is for this machine, in dist/.
Targets: ${targets.join(", ")}`;

const root = join(import.meta.dir, "..");

function asked() {
  const { values } = parseArgs({
    options: {
      features: { type: "string" },
      target: { type: "string" },
      outfile: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const target = values.target ?? hostTarget();
  if (!isTarget(target)) throw new Error(`unknown target "${target}"`);
  const variant = variantOf(values.features);
  const name = `revka${values.target ? `-${target}` : ""}${variantSuffix(variant)}`;
  return { target, variant, outfile: values.outfile ?? join(root, "dist", name) };
}

/** Ends the build with what was wrong, in words, and what else there is to say. */
function fail(error: unknown, ...more: string[]): never {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const words = errors.map((one) => (one instanceof Error ? one.message : String(one)));
  console.error([`build: ${words.join("\n")}`, ...more].join("\n"));
  process.exit(1);
}

const options = await Promise.try(asked).catch((error: unknown) => fail(error, usage));
if (!existsSync(join(root, "node_modules"))) {
  fail("its packages are not here yet: npx -y bun@1.4.5 install --frozen-lockfile");
}
try {
  const { file, bytes } = await buildExecutable({
    root,
    revision: readRevision(root),
    ...options,
  });
  const { variant, target } = options;
  console.log(`${file} (${(bytes / 1e6).toFixed(1)} MB, ${variant}, ${target})`);
} catch (error) {
  fail(error);
}
