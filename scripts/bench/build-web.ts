import { join } from "node:path";
import { buildExecutable } from "../build/executable.ts";
import { readRevision } from "../build/revision.ts";
import { hostTarget } from "../build/target.ts";

/** Builds the whatsapp-web variant as it is shipped, but for whom it trusts. Takes the name of the executable. */

const root = join(import.meta.dir, "../..");
const [outfile] = process.argv.slice(2);
if (!outfile) throw new Error("needs a file");
await buildExecutable({
  root,
  variant: "whatsapp-web",
  target: hostTarget(),
  revision: readRevision(root),
  outfile,
  entry: "scripts/bench/revka-web.ts",
});
