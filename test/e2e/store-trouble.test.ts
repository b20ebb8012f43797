import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { smallDisk, type SmallDisk } from "../../scripts/torture/disk.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { until } from "../support/until.ts";
import { cloudConfig, startCloud, textsTo } from "./support/cloud.ts";
import { DaemonDidNotStart, startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { healthOf } from "./support/health.ts";
import { answerTo, impatient, refusedOnce } from "./support/refused.ts";

const ada = { phone: "15550001111" };
const bob = { phone: "15550002222" };
const { text } = content;

const root = process.platform === "linux" && process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "revka-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A disk of its own for a test. Throws where the system does not let one mount it. */
function mounted(): SmallDisk {
  const disk = smallDisk(join(folder, "disk"), 16);
  if (!disk) throw new Error("nothing can be mounted here");
  return disk;
}

/** A container may forbid mounts to its root, too. */
function mayMount(): boolean {
  if (!root) return false;
  const disk = smallDisk(join(folder, "trial"), 1);
  disk?.remove();
  return disk !== null;
}

describe.skipIf(!mayMount())("a store on a disk", () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = mounted();
  });
  afterEach(() => disk.remove());

  test("that is full: 503 with Retry-After, nothing lost, and it goes on when there is room", async () => {
    await using setup = await startCloud(
      { root: { store: { path: join(disk.path, "revka.db") } } },
      { graph: { webhooks: impatient } },
    );
    const { graph, daemon } = setup;
    graph.write({ from: ada, content: text("before") });
    await graph.waitForSends({ count: 1 });
    await graph.idle();
    disk.fill();
    // What the WAL has room for is still taken: write until it is used up.
    let written = 0;
    while (
      !daemon.lines.some((line) => line.includes("webhook request refused")) &&
      written < 400
    ) {
      graph.write({ from: ada, content: text(`during ${written++}`) });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await refusedOnce(graph, daemon.lines);
    expect(await answerTo(graph, bob)).toEqual({ status: 503, retryAfter: "30" });
    const { status, body } = await healthOf(daemon.url);
    expect([status, body]).toEqual([
      503,
      expect.stringContaining("the disk is full: free some space"),
    ]);
    expect((await daemon.status()).alarms).toMatchObject([{ source: "store", code: "full" }]);
    disk.free();
    await graph.idle(20_000);
    await until("all is answered", () => textsTo(graph, ada.phone).length === written + 1, 45_000);
    expect(new Set(textsTo(graph, ada.phone)).size).toBe(written + 1);
    expect((await healthOf(daemon.url)).status).toBe(200);
    expect((await daemon.status()).alarms).toEqual([]);
  }, 90_000);

  test("that is not writable at the start: the daemon says which store, and ends", async () => {
    const graph = await startGraph();
    const config = cloudConfig(graph.url, {
      root: { store: { path: join(disk.path, "read-only", "revka.db") } },
    });
    await (await startDaemon({ config }))[Symbol.asyncDispose]();
    expect(disk.readOnly(true)).toBe(true);
    const refusal = await startDaemon({ config }).catch((error: unknown) => error);
    disk.readOnly(false);
    expect(refusal).toBeInstanceOf(DaemonDidNotStart);
    if (!(refusal instanceof DaemonDidNotStart)) return;
    expect(refusal.exit?.code).toBe(1);
    expect(refusal.message).toContain(
      `the store ${join(disk.path, "read-only", "revka.db")}: it cannot be written`,
    );
    await graph.stop();
  });
});

/** Whether files of this folder's disk can be protected against root as well. */
function mayProtect(): boolean {
  const file = join(folder, "protected");
  writeFileSync(file, "");
  const protects = protect("+", [file]);
  protect("-", [file]);
  return protects;
}

function protect(sign: "+" | "-", files: readonly string[]): boolean {
  return spawnSync("chattr", [`${sign}i`, ...files], { stdio: "ignore" }).status === 0;
}

test.skipIf(!root || !mayProtect())(
  "a store that is write-protected: 503, and it goes on when it is writable again",
  async () => {
    await using setup = await startCloud({}, { graph: { webhooks: impatient } });
    const { graph, daemon } = setup;
    graph.write({ from: ada, content: text("before") });
    await graph.waitForSends({ count: 1 });
    await graph.idle();
    const files = ["revka.db", "revka.db-wal"].map((name) => join(daemon.home, name));
    expect(protect("+", files)).toBe(true);
    try {
      graph.write({ from: ada, content: text("during") });
      await refusedOnce(graph, daemon.lines);
      expect((await healthOf(daemon.url)).body).toContain("The store cannot be written");
    } finally {
      protect("-", files);
    }
    await graph.waitForSends({ count: 2 });
    expect(textsTo(graph, ada.phone)).toEqual(["before", "during"]);
    expect((await healthOf(daemon.url)).status).toBe(200);
  },
);

test("a damaged store is moved aside, named in log and status, and the daemon comes up", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-test-"));
  writeFileSync(join(home, "revka.db"), "this was a database once ".repeat(1000));
  await using setup = await startCloud({}, { daemon: { home } });
  const { graph, daemon } = setup;
  const moved = readdirSync(home).find((name) => name.startsWith("revka.db.damaged-")) ?? "none";
  expect(moved).toMatch(/^revka\.db\.damaged-\d{4}-/);
  expect(await daemon.waitForLog("store was damaged")).toContain(moved);
  expect((await daemon.status()).alarms).toMatchObject([
    { source: "store.damaged", code: "damaged", hint: expect.stringContaining(moved) },
  ]);
  graph.write({ from: ada, content: text("hello") });
  await graph.waitForSends({ to: ada.phone });
  rmSync(home, { recursive: true, force: true });
});

test("a second daemon on the same home is refused with a reason, the first goes on unharmed", async () => {
  await using setup = await startCloud();
  const { graph, daemon } = setup;
  const second = startDaemon({ config: cloudConfig(graph.url), home: daemon.home });
  const refusal = await second.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DaemonDidNotStart);
  if (!(refusal instanceof DaemonDidNotStart)) return;
  expect(refusal.exit?.code).toBe(1);
  expect(refusal.message).toContain("another Revka runs on the store");
  graph.write({ from: ada, content: text("still there?") });
  await graph.waitForSends({ to: ada.phone });
  expect((await daemon.status()).daemon.pid).toBe(daemon.pid);
});
