import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExecutable, orderFile } from "./build/executable.ts";
import { readRevision } from "./build/revision.ts";
import { hostTarget } from "./build/target.ts";
import { optionsOf } from "./options.ts";
import { recordStart } from "./start-order/record.ts";

const usage = `bun run start-order

Starts both variants and writes down which functions they run (scripts/build/orders), so that a build can lay them side by
side: what a start reads of the executable then is less.`;

const root = join(import.meta.dir, "..");
optionsOf(usage, {});
const scratch = mkdtempSync(join(tmpdir(), "revka-start-order-"));
try {
  for (const variant of ["default", "whatsapp-web"] as const) {
    const { file } = await buildExecutable({
      root,
      variant,
      target: hostTarget(),
      revision: readRevision(root),
      outfile: join(scratch, "revka"),
      // There is none yet of a new variant.
      inOrder: false,
    });
    const order = await recordStart(file, variant);
    writeFileSync(orderFile(root, variant), order);
    console.log(`${variant}: ${order.split("\n").length - 2} functions`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
