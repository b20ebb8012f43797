import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { content } from "../../src/simulator/graph/content.ts";
import { cloudConfig, startCloud } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startWeb } from "./support/web.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(30_000);

/*
 * A kill leaves what the kernel holds; only a power cut shows whether it was on the disk. So the system calls are
 * looked at, and made to fail.
 */

const traces = await mayTrace();

interface Tracing {
  /** Lets go; resolves when nothing is traced any more. */
  stop(): Promise<void>;
}

/** Is there `strace`, and may it look at another process? Kernels and containers may forbid it to everybody but root. */
async function mayTrace(): Promise<boolean> {
  if (spawnSync("strace", ["-V"], { stdio: "ignore" }).status !== 0) return false;
  const other = spawn("sleep", ["30"], { stdio: "ignore" });
  try {
    await (await trace(other.pid ?? 0, ["-e", "trace=none"])).stop();
    return true;
  } catch {
    return false;
  } finally {
    other.kill();
  }
}

/** Throws what strace says where it may not. */
async function trace(pid: number, words: string[]): Promise<Tracing> {
  const strace = spawn("strace", ["-f", ...words, "-p", String(pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(strace, "exit");
  const [said] = await once(createInterface({ input: strace.stderr }), "line");
  if (!String(said).includes("attached")) {
    await ended;
    throw new Error(String(said));
  }
  return {
    async stop() {
      strace.kill("SIGTERM");
      await ended;
    },
  };
}

test.skipIf(!traces)("a webhook's 200 leaves after the store was synced to the disk", async () => {
  await using setup = await startCloud({ channels: { read_receipts: false } });
  const { graph, daemon } = setup;
  const file = join(daemon.home, "trace");
  const calls = "trace=fsync,fdatasync,pwrite64,sendto,recvfrom,read,write,writev";
  const tracing = await trace(daemon.pid, ["-y", "-s", "200", "-e", calls, "-o", file]);
  const id = graph.write({ from: { phone: "15550001111" }, content: content.text("hello") });
  await graph.records.webhooks.waitFor({ where: (webhook) => webhook.ids.includes(id) });
  await tracing.stop();
  const lines = readFileSync(file, "utf8").split("\n");
  const came = lines.findIndex((line) => /(recvfrom|read)\(.*POST \/whatsapp/.test(line));
  const answered = lines.findIndex(
    (line, index) => index > came && /(sendto|write|writev)\(.*HTTP\/1\.1 200/.test(line),
  );
  const between = lines.slice(came, answered);
  const wrote = between.findLastIndex((line) => /pwrite64\(.*revka\.db-wal/.test(line));
  const asked = between.findIndex(
    (line, index) => index > wrote && /f(data)?sync\(.*revka\.db-wal/.test(line),
  );
  const [thread] = between[asked]?.split(" ") ?? [];
  const synced = between.findIndex(
    (line, index) => index >= asked && line.startsWith(`${thread} `) && /sync.*\) += 0$/.test(line),
  );
  expect(came).toBeGreaterThanOrEqual(0);
  expect(answered).toBeGreaterThan(came);
  expect(wrote).toBeGreaterThanOrEqual(0);
  expect(asked).toBeGreaterThan(wrote);
  expect(synced).toBeGreaterThanOrEqual(asked);
});

test.skipIf(!traces)("while the disk takes its time, others are answered", async () => {
  await using setup = await startCloud({ channels: { read_receipts: false, typing: false } });
  const { graph, daemon } = setup;
  const slow = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=500000"];
  const tracing = await trace(daemon.pid, [...slow, "-o", join(daemon.home, "trace")]);
  let stored = false;
  const began = performance.now();
  graph.write({ from: { phone: "15550001111" }, content: content.text("hello") });
  const storing = graph.records.webhooks
    .waitFor({ where: ({ status }) => status === 200 })
    .finally(() => (stored = true));
  let longest = 0;
  while (!stored) {
    const asked = performance.now();
    expect((await fetch(`${daemon.url}/whatsapp?hub.challenge=1`)).status).toBe(403);
    longest = Math.max(longest, performance.now() - asked);
  }
  await storing;
  expect(performance.now() - began).toBeGreaterThan(500);
  expect(longest).toBeLessThan(400);
  await tracing.stop();
});

test.skipIf(!traces)("a stop lets a webhook under way have its 200", async () => {
  await using setup = await startCloud({ channels: { read_receipts: false, typing: false } });
  const { graph, daemon } = setup;
  const file = join(daemon.home, "trace");
  const slow = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=500000"];
  const tracing = await trace(daemon.pid, [...slow, "-o", file]);
  graph.write({ from: { phone: "15550001111" }, content: content.text("hello") });
  await until("the store is synced", () => readFileSync(file, "utf8").includes("fdatasync"));
  expect((await daemon.stop()).code).toBe(0);
  await tracing.stop();
  await graph.records.webhooks.waitFor({ where: () => true });
  expect(graph.records.webhooks.entries.map(({ status }) => status)).toEqual([200]);
});

describe.skipIf(!traces)("a disk that confirms nothing any more", () => {
  const failing = [
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    "inject=fsync,fdatasync:error=EIO:delay_enter=100000",
  ];
  const end = /the disk did not confirm what was written to \S+\/(revka|whatsapp-session)\.db-wal/;

  test("ends the daemon: no 200, and the next one answers once what comes again", async () => {
    const channels = { read_receipts: false, typing: false };
    await using setup = await startCloud({ channels });
    const { graph, daemon } = setup;
    const { webhooks, sends } = graph.records;
    const tracing = await trace(daemon.pid, [...failing, "-o", join(daemon.home, "trace")]);
    graph.write({ from: { phone: "15550001111" }, content: content.text("hello") });
    expect(await daemon.exited).toMatchObject({ code: 1 });
    await tracing.stop();
    expect(daemon.lines.join("\n")).toMatch(end);
    expect([webhooks.entries.filter(({ status }) => status === 200), sends.entries]).toEqual([
      [],
      [],
    ]);
    await using next = await startDaemon({
      config: cloudConfig(graph.url, { channels }),
      home: daemon.home,
    });
    graph.settings.webhooks.url = `${next.url}/whatsapp`;
    await webhooks.waitFor({ where: ({ status }) => status === 200 });
    await sends.waitFor({ where: () => true });
    expect((await next.stop()).code).toBe(0);
    expect(sends.entries).toHaveLength(1);
  });

  test("ends the daemon of WhatsApp Web: nothing is acknowledged, and it comes again", async () => {
    await using setup = await startWeb({ channels: { read_receipts: false, typing: false } });
    await setup.link();
    const tracing = await trace(setup.daemon.pid, [...failing, "-o", join(setup.home, "trace")]);
    const sent = setup.wa.clientMessages.all.length;
    const { id } = await setup.ada.send(setup.owner, "hello");
    expect(await setup.daemon.exited).toMatchObject({ code: 1 });
    await tracing.stop();
    expect(setup.daemon.lines.join("\n")).toMatch(end);
    const [companion] = setup.owner.companions;
    expect([setup.wa.clientMessages.all.length, companion?.mailbox.ids()]).toEqual([sent, [id]]);
    await setup.start();
    await setup.ada.waitForMessage("hello");
  });
});
