import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { findExecutable } from "../src/runtime/executable.ts";
import { readRevision, releaseSources } from "./build/revision.ts";
import { isTarget, targets } from "./build/target.ts";
import { misused, optionsOf } from "./options.ts";
import { makeRelease } from "./release/make.ts";

/**
 * Makes everything that a release consists of, in `dist/release`: `bun run release [--only linux-x64[,TARGET…]]
 * [--variant default|whatsapp-web] [--no-archives] [--out DIR] [--allow-changes]`. Archives need the program `xz` and
 * about a minute each.
 */

const enginesOf = v.object({ engines: v.object({ bun: v.string() }) });

const root = join(import.meta.dir, "..");

const usage = `bun run release [--only TARGET[,TARGET…]] [--variant default|whatsapp-web] [--no-archives] [--out DIR] [--allow-changes]
Targets: ${targets.join(", ")}; all when none is given.`;

const { values } = optionsOf(usage, {
  options: {
    only: { type: "string", multiple: true },
    variant: { type: "string", default: "all" },
    "no-archives": { type: "boolean", default: false },
    out: { type: "string", default: join(root, "dist/release") },
    "allow-changes": { type: "boolean", default: false },
  },
});
const asked = values.only?.flatMap((word) => word.split(",")) ?? [...targets];
const unknown = asked.filter((name) => !isTarget(name));
if (unknown.length > 0) misused(usage, `unknown target "${unknown.join(", ")}"`);
const { variant } = values;
if (variant !== "all" && variant !== "default" && variant !== "whatsapp-web") {
  misused(usage, `unknown variant "${variant}"`);
}

try {
  // Said now, and not after all executables are built.
  if (!values["no-archives"] && !findExecutable("xz")) {
    throw new Error("archives need the program xz: install it, or leave them out (--no-archives)");
  }
  const revision = readRevision(root, releaseSources);
  if (!/^[0-9a-f]+$/.test(revision.commit) && !values["allow-changes"]) {
    throw new Error(
      `a release is one commit, and this is ${revision.commit}: commit first, or try with --allow-changes`,
    );
  }
  const { engines } = v.parse(
    enginesOf,
    JSON.parse(readFileSync(join(root, "package.json"), "utf8")),
  );
  if (Bun.version !== engines.bun) {
    throw new Error(`this is Bun ${Bun.version}; a release is made with Bun ${engines.bun}`);
  }
  await makeRelease({
    root,
    revision,
    targets: targets.filter((target) => asked.includes(target)),
    variants: variant === "all" ? ["default", "whatsapp-web"] : [variant],
    archives: !values["no-archives"],
    sideBySide: cpus().length,
    folder: values.out,
    say: (line) => console.log(line),
  });
} catch (error) {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  const words = errors.map((one) => (one instanceof Error ? one.message : String(one)));
  console.error(`release: ${words.join("\n")}`);
  process.exit(1);
}
