import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildExecutable } from "./build/executable.ts";
import { readRevision } from "./build/revision.ts";
import { hostTarget, isTarget, targets } from "./build/target.ts";
import { misused, optionsOf } from "./options.ts";
import { variantOf, variantSuffix, type Variant } from "./build/variant.ts";

const usage = `bun run build [--features whatsapp-web] [--target NAME] [--outfile FILE]

Builds one executable. Without a target it is for this machine, in dist/.
Targets: ${targets.join(", ")}`;

const root = join(import.meta.dir, "..");

const { values } = optionsOf(usage, {
  options: {
    features: { type: "string" },
    target: { type: "string" },
    outfile: { type: "string" },
  },
});
const { target = hostTarget() } = values;
if (!isTarget(target)) misused(usage, `unknown target "${target}"`);
const variant = variantAsked();
const name = `revka${values.target ? `-${target}` : ""}${variantSuffix(variant)}`;

function variantAsked(): Variant {
  try {
    return variantOf(values.features);
  } catch (error) {
    return misused(usage, error instanceof Error ? error.message : String(error));
  }
}

/** Ends the build with what was wrong, in words. */
function fail(error: unknown): never {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const words = errors.map((one) => (one instanceof Error ? one.message : String(one)));
  console.error(`build: ${words.join("\n")}`);
  process.exit(1);
}

if (!existsSync(join(root, "node_modules"))) {
  fail("its packages are not here yet: npx -y bun@1.4.5 install --frozen-lockfile");
}
try {
  const { file, bytes } = await buildExecutable({
    root,
    variant,
    target,
    revision: readRevision(root),
    outfile: values.outfile ?? join(root, "dist", name),
  });
  console.log(`${file} (${(bytes / 1e6).toFixed(1)} MB, ${variant}, ${target})`);
} catch (error) {
  fail(error);
}
