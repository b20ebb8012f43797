import { expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { content } from "../../src/simulator/graph/content.ts";
import { startCloud } from "./support/cloud.ts";

const straces = spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;

/**
 * A kill leaves what the kernel holds; only a power cut shows whether it was on the disk. So the system calls are
 * looked at: between a webhook and its 200 the log of the store is written and synced.
 */
test.skipIf(!straces)("a webhook's 200 leaves after the store was synced to the disk", async () => {
  await using setup = await startCloud({ channels: { read_receipts: false } });
  const { graph, daemon } = setup;
  const file = join(daemon.home, "trace");
  const calls = "trace=fsync,fdatasync,pwrite64,sendto,recvfrom,read,write,writev";
  const strace = spawn(
    "strace",
    ["-f", "-y", "-s", "200", "-e", calls, "-o", file, "-p", String(daemon.pid)],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = once(strace, "exit");
  const [said] = await once(createInterface({ input: strace.stderr }), "line");
  if (!String(said).includes("attached")) {
    // Tracing may be forbidden to everybody but root.
    await ended;
    return;
  }
  const [id] = [graph.write({ from: { phone: "15550001111" }, content: content.text("hello") })];
  await graph.records.webhooks.waitFor({ where: (webhook) => webhook.ids.includes(id) });
  strace.kill("SIGTERM");
  await ended;
  const lines = readFileSync(file, "utf8").split("\n");
  const came = lines.findIndex((line) => /(recvfrom|read)\(.*POST \/whatsapp/.test(line));
  const answered = lines.findIndex(
    (line, index) => index > came && /(sendto|write|writev)\(.*HTTP\/1\.1 200/.test(line),
  );
  const between = lines.slice(came, answered);
  const wrote = between.findIndex((line) => /pwrite64\(.*revka\.db-wal/.test(line));
  const synced = between.findLastIndex((line) => /f(data)?sync\(.*revka\.db-wal.*= 0$/.test(line));
  expect(came).toBeGreaterThanOrEqual(0);
  expect(answered).toBeGreaterThan(came);
  expect(wrote).toBeGreaterThanOrEqual(0);
  expect(synced).toBeGreaterThan(wrote);
});
