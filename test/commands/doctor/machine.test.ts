import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { machineProbes, spaceVerdict } from "../../../src/commands/doctor/machine-probes.ts";
import type { Finding } from "../../../src/commands/doctor/probe.ts";
import { offlineReport } from "../../../src/commands/status/offline.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { ChannelReport, StatusReport } from "../../../src/control/api.ts";
import { buildInfo } from "../../../src/runtime/build-info.ts";
import { smallDisk } from "../../../scripts/torture/disk.ts";
import { fakeClock } from "../../support/clock.ts";
import { examined } from "../../support/examined.ts";
import { storeAt } from "../../support/store.ts";

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "revka doctor-"));
  path = join(home, "revka.db");
  writeFileSync(join(home, "config.toml"), '[agent]\nkind = "echo"\n');
});
afterEach(() => rmSync(home, { recursive: true }));

async function findings(
  group: Finding["group"],
  told: { status?: StatusReport; unheard?: string } = {},
): Promise<Omit<Finding, "group">[]> {
  const env = { REVKA_HOME: home };
  const found = await examined(
    machineProbes.filter((probe) => probe.group === group),
    loadConfig({ path: join(home, "config.toml"), env, home }),
    told,
  );
  return found.map(({ name, level, message, next }) => ({ name, level, message, next }));
}

describe("the store", () => {
  test("that is to be made is not made by looking", async () => {
    expect((await findings("store"))[0]).toEqual({
      name: "database",
      level: "info",
      message: `${path} is made at the first start`,
      next: null,
    });
    expect(existsSync(path)).toBe(false);
  });

  test("that is a link has the room of what it leads to", async () => {
    const disk = join(home, "disk");
    mkdirSync(disk);
    storeAt(join(disk, "revka.db"), fakeClock()).close();
    symlinkSync(join(disk, "revka.db"), path);
    const space = (await findings("store")).find(({ name }) => name === "space");
    expect(space?.message).toEndWith(`MB are free in ${disk}`);
  });

  test("that is sound is said to be, and stays as it is", async () => {
    storeAt(path, fakeClock()).close();
    const before = readFileSync(path);
    const [first, second] = await findings("store");
    expect(first).toEqual({
      name: "database",
      level: "ok",
      message: `${path} is sound and writable`,
      next: null,
    });
    expect(second?.name).toBe("space");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("that a newer Revka wrote is no store for this one", async () => {
    storeAt(path, fakeClock()).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 1000");
    database.close();
    expect((await findings("store"))[0]).toMatchObject({
      name: "database",
      level: "error",
      message: expect.stringContaining("it was written by a newer Revka (schema 1000"),
    });
  });

  test.each(["640", "604", "666"])("that others may open with mode %s is named", async (mode) => {
    storeAt(path, fakeClock()).close();
    chmodSync(path, Number.parseInt(mode, 8));
    expect((await findings("store")).slice(0, 2)).toMatchObject([
      {
        name: "database mode",
        level: "warning",
        message: `others may read the messages in ${path}`,
        next: `chmod 600 '${path}'`,
      },
      { name: "database", level: "ok" },
    ]);
  });

  const megabyte = 1024 * 1024;
  test.each<[number, Finding["level"], string]>([
    [50 * megabyte - 1, "error", "49 MB are free in /srv"],
    [50 * megabyte, "warning", "50 MB are free in /srv"],
    [500 * megabyte - 1, "warning", "499 MB are free in /srv"],
    [500 * megabyte, "ok", "500 MB are free in /srv"],
  ])("with %d bytes of room: %s", (free, level, message) => {
    expect(spaceVerdict(free, "/srv")).toMatchObject({ level, message });
  });
});

describe("the folder of attachments", () => {
  let media: string;
  beforeEach(() => (media = join(home, "media")));
  const verdict = async () =>
    (await findings("store")).find(({ name }) => name === "attachments") ?? null;

  test("that is to be made is not spoken of, and not made by looking", async () => {
    expect(await verdict()).toBeNull();
    expect(existsSync(media)).toBe(false);
  });

  test("that can be written is fine, and so is a link to one", async () => {
    mkdirSync(join(home, "disk"));
    symlinkSync(join(home, "disk"), media);
    const fine = { level: "ok", message: `${media} is writable`, next: null } as const;
    expect(await verdict()).toEqual({ name: "attachments", ...fine });
  });

  test.each<[string, () => void]>([
    ["a file", () => writeFileSync(media, "")],
    ["a link to nothing", () => symlinkSync(join(home, "nothing"), media)],
  ])("that is %s is an error: no attachment could be kept", async (_, make) => {
    make();
    expect(await verdict()).toEqual({
      name: "attachments",
      level: "error",
      message: `${media} is no folder, and attachments go there`,
      next: "move it away: the daemon makes a folder there",
    });
  });

  // Root may write everywhere but where nobody may.
  const root = process.geteuid?.() === 0;
  test.skipIf(root && !mayMount())("that cannot be written is an error, too", async () => {
    const disk = root ? smallDisk(media, 1) : null;
    if (disk) disk.readOnly(true);
    else mkdirSync(media, { mode: 0o500 });
    try {
      expect(await verdict()).toEqual({
        name: "attachments",
        level: "error",
        message: `${media} is not writable for you, and attachments go there`,
        next: "run as the daemon's account, or mend it",
      });
    } finally {
      disk?.remove();
    }
  });
});

/** A container may forbid mounts to its root, too. */
function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "revka-mount-"));
  const disk = smallDisk(folder, 1);
  disk?.remove();
  rmSync(folder, { recursive: true, force: true });
  return disk !== null;
}

describe("the daemon", () => {
  const channel: ChannelReport = {
    channel: "whatsapp",
    backend: "web",
    state: "ready",
    reason: null,
    linked_as: null,
    last_inbound_at: null,
    last_outbound_at: null,
    last_error: null,
  };
  const report = (changes: Partial<StatusReport> = {}): StatusReport => {
    const env = { REVKA_HOME: home };
    const loaded = loadConfig({ path: join(home, "config.toml"), env, home });
    const daemon = { running: true, pid: 42, uptime_seconds: 1 };
    return { ...offlineReport(loaded), daemon, ...changes };
  };
  const runs = { name: "daemon", level: "ok", next: null };
  const own = buildInfo.version;

  test("that does not run is no fault", async () => {
    expect(await findings("daemon")).toEqual([
      {
        name: "daemon",
        level: "info",
        message: "is not running",
        next: "revka daemon, or revka service start",
      },
    ]);
  });

  test("that does not answer is not said not to run", async () => {
    expect(await findings("daemon", { unheard: "not yours" })).toMatchObject([
      { name: "daemon", level: "error", message: "not yours" },
    ]);
  });

  test("that runs is named, and one of another version is to be restarted", async () => {
    expect(await findings("daemon", { status: report() })).toMatchObject([
      { ...runs, message: `runs with pid 42, version ${own}` },
    ]);
    expect(await findings("daemon", { status: report({ version: "9.9.9" }) })).toMatchObject([
      { ...runs, message: "runs with pid 42, version 9.9.9" },
      { name: "version", level: "warning", next: "restart the daemon" },
    ]);
  });

  const linking = { qr: "2@code", pair_code: null, expires_at: "2026-01-01T00:00:00Z" };
  test.each<[Partial<ChannelReport>, Finding["level"], string]>([
    [{}, "ok", "is ready"],
    [{ state: "linking", linking }, "warning", "waits for a phone to link it"],
    [{ state: "logged_out" }, "error", "is logged out"],
    [{ state: "disconnected", reason: "no network" }, "error", "is disconnected: no network"],
    [
      { state: "skipped", backend: null, reason: "config-invalid" },
      "error",
      "is skipped: config-invalid",
    ],
  ])("has a channel of which it says %j", async (changes, level, message) => {
    const status = report({ channels: [{ ...channel, ...changes }] });
    expect((await findings("daemon", { status })).slice(1)).toMatchObject([
      { name: "whatsapp", level, message },
    ]);
  });

  test.each<[Partial<ChannelReport>, string]>([
    [{ state: "logged_out" }, "revka relink"],
    [{ state: "disconnected", reason: "held" }, "a changed config takes a restart"],
  ])("says what to do about a channel of which it says %j", async (changes, next) => {
    const status = report({ channels: [{ ...channel, ...changes }] });
    const [, finding] = await findings("daemon", { status });
    expect(finding?.next).toContain(next);
  });

  test("whose alarms and failed deliveries are told", async () => {
    const alarm = { since: "2026-01-01T00:00:00Z", source: "store", code: "full", hint: "no room" };
    const outbox = { pending: 0, failed: 2, unconfirmed: 0, oldest_age_seconds: null };
    const status = report({ alarms: [alarm], outbox });
    expect((await findings("daemon", { status })).slice(1)).toMatchObject([
      { name: "store", level: "error", message: "full: no room" },
      { name: "failed deliveries", level: "warning", message: "2 could not be sent" },
    ]);
  });
});
