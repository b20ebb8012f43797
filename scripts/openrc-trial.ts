import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { spawnGraph } from "../test/e2e/support/graph.ts";
import { freePort } from "./free-port.ts";
import { handedOver, runInOwnNetwork } from "./machine/own-network.ts";
import { conclude } from "./machine/trial.ts";
import { bootOpenrc } from "./openrc-trial/boot.ts";
import { crashes } from "./openrc-trial/crashes.ts";
import { installation, uninstallation } from "./openrc-trial/installation.ts";
import { restarts } from "./openrc-trial/restarts.ts";
import { unpackOpenrc } from "./openrc-trial/packages.ts";
import { misused, optionsOf } from "./options.ts";

/**
 * Installs a built Revka as a service under a real OpenRC and tries what its init script promises: `bun run openrc-trial
 * [--binary dist/revka] [--openrc DIR]`. Debian, root. OpenRC is that of Debian, or the one that its `meson install` has
 * put into DIR. Ends with 1 where something did not hold.
 */
const usage = "bun run openrc-trial [--binary dist/revka] [--openrc DIR]";
const { values } = optionsOf(usage, {
  options: { binary: { type: "string" }, openrc: { type: "string" } },
});
const binary = resolve(values.binary ?? join(import.meta.dir, "../dist/revka"));
if (!existsSync(binary)) misused(usage, `${binary} is missing: bun run build`);

const layer = handedOver();
if (layer === null) process.exit(await outside());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

// In a process of its own: what runs inside the machine is waited for without letting anything else run.
const graph = await spawnGraph({ enforceWindow: false });
const m = await bootOpenrc({ "/usr/local/bin/revka": binary }, layer);
try {
  const trial = { m, graph, port: await freePort() };
  console.log(m.shell("openrc --version; busybox | head -1; revka --version"));
  await installation(trial);
  await restarts(trial);
  await crashes(trial);
  await uninstallation(trial);
} finally {
  await m.stop();
  await graph.stop();
}
conclude();

async function outside(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "revka-openrc-"));
  try {
    const root = unpackOpenrc(folder, values.openrc);
    return await runInOwnNetwork([join(root, "usr/bin/busybox"), "ip"], root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
