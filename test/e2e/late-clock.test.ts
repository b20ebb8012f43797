import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDaemon } from "./support/daemon.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

test("the time that a daemon is up does not follow a clock that is set right", async () => {
  await using daemon = await startDaemon({
    preload: fileURLToPath(new URL("support/late-clock.ts", import.meta.url)),
    config: { agent: { kind: "echo" } },
  });
  writeFileSync(join(daemon.home, "time-known"), "");
  expect((await daemon.status()).daemon.uptime_seconds).toBeLessThan(60);
});
