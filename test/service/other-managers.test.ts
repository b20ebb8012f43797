import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { carryOut } from "../../src/service/carry-out.ts";
import { detectManager } from "../../src/service/detect.ts";
import { launchdPlan, launchdPlist } from "../../src/service/launchd.ts";
import { openrcPlan } from "../../src/service/openrc.ts";
import { emptyPlan, serviceVerbs, type ServiceRequest } from "../../src/service/plan.ts";
import { revka, temporaryHome } from "../support/command.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "revka-service-"));
  undo.push(() => rmSync(path, { recursive: true }));
  return path;
}

const request: ServiceRequest = {
  executable: ["/usr/local/bin/revka"],
  scope: "system",
  account: "ada",
  home: "/home/ada/it's & <that>",
  config: "/home/ada/a b.toml",
  writable: [],
  credentials: [],
  memoryMax: null,
  systemdVersion: null,
};

describe("launchd", () => {
  test("escapes what XML would take for markup, and restarts after failures only", () => {
    const plist = launchdPlist(request, "/l.log");
    expect(plist).toContain("<string>/home/ada/it's &amp; &lt;that&gt;</string>");
    expect(plist).toContain("<key>UserName</key>\n\t<string>ada</string>");
    expect(plist).toMatch(/KeepAlive<\/key>\s*<dict>\s*<key>SuccessfulExit<\/key>\s*<false\/>/);
    expect(launchdPlist({ ...request, scope: "user" }, "/l.log")).not.toContain("UserName");
  });

  test("a system service lies where root alone writes, and is steered there", () => {
    for (const verb of serviceVerbs) {
      const plan = launchdPlan(verb, request, "/Users/ada", 501);
      const text = JSON.stringify(plan);
      expect(text).not.toMatch(/gui\/|\/Users\/ada|LaunchAgents/);
      if (verb !== "logs") expect(text).toContain("system");
      if (verb === "install") {
        expect(plan.files[0]?.path).toBe("/Library/LaunchDaemons/com.revka.daemon.plist");
      }
    }
    const own = launchdPlan("uninstall", { ...request, scope: "user" }, "/Users/ada", 501);
    expect(own.remove).toEqual(["/Users/ada/Library/LaunchAgents/com.revka.daemon.plist"]);
  });

  test("hands over no credentials", () => {
    const credentials = [{ name: "revka-session-key", file: "/k" }];
    expect(() => launchdPlist({ ...request, credentials }, "/l.log")).toThrow("credentials");
  });

  test.each(serviceVerbs)("%s goes to the right domain", (verb) => {
    const text = JSON.stringify(
      launchdPlan(verb, { ...request, scope: "user" }, "/Users/ada", 501),
    );
    if (!["logs"].includes(verb)) expect(text).toContain("gui/501");
    expect(text).not.toContain("LaunchDaemons");
  });
});

test.each([
  ["darwin", [], "launchd"],
  ["linux", ["/run/systemd/system"], "systemd"],
  ["linux", ["/sbin/openrc-run"], "openrc"],
  ["linux", ["/run/systemd/system", "/sbin/openrc-run"], "systemd"],
] as const)("%s with %p is %s", (platform, files, expected) => {
  expect(detectManager(platform, (path) => files.some((file) => file === path))).toBe(expected);
});

test("where none is known it says what to do", () => {
  expect(() => detectManager("linux", () => false)).toThrow("revka daemon");
});

test("what does not run can be installed anew and uninstalled", () => {
  const before = [
    ...openrcPlan("uninstall", request).before,
    ...launchdPlan("install", request, "/h", 501).before,
    ...launchdPlan("uninstall", request, "/h", 501).before,
  ];
  expect(before.map(({ optional }) => optional)).toEqual([true, true, true, true]);
});

describe("carrying a plan out", () => {
  test("does everything in order, and answers the last step's code", async () => {
    const home = folder();
    const old = join(home, "old");
    writeFileSync(old, "");
    const ran: string[] = [];
    const file = join(home, "deep/unit");
    const root = process.geteuid?.() === 0;
    const owner = root ? { uid: 65_534, gid: 65_534 } : null;
    const code = await carryOut(
      {
        ...emptyPlan,
        before: [{ command: ["before"], optional: true }],
        folders: [{ path: join(home, "data"), mode: 0o700 }],
        files: [{ path: file, mode: 0o644, content: "unit" }],
        remove: [old],
        after: [{ command: ["one"] }, { command: ["two"] }],
      },
      async ([program]) => {
        ran.push(`${program} ${existsSync(file)} ${existsSync(old)}`);
        return program === "two" ? 3 : program === "before" ? 1 : 0;
      },
      owner,
    );
    expect(code).toBe(3);
    expect(ran).toEqual(["before false true", "one true false", "two true false"]);
    expect(readFileSync(file, "utf8")).toBe("unit");
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(statSync(join(home, "data")).mode & 0o777).toBe(0o700);
    if (root) expect(statSync(join(home, "data")).uid).toBe(65_534);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  test("stops where a step fails that others need, or a tool is missing", async () => {
    const plan = {
      ...emptyPlan,
      after: [{ command: ["a", "b"] as const }, { command: ["c"] as const }],
    };
    const failing = carryOut(plan, async () => 5);
    await expect(failing).rejects.toThrow("`a b` failed (exit 5)");
    await expect(carryOut(plan, async () => null)).rejects.toThrow("is it installed?");
  });

  test("says that root is needed where a file cannot be written", async () => {
    const blocked = join(folder(), "file");
    writeFileSync(blocked, "");
    const files = [{ path: join(blocked, "unit"), mode: 0o644, content: "" }];
    await expect(carryOut({ ...emptyPlan, files }, async () => 0)).rejects.toThrow("sudo");
  });
});

describe("revka service", () => {
  const env = () => ({ HOME: temporaryHome(undo), PATH: process.env["PATH"] ?? "" });

  test("--dry-run shows all and does nothing", async () => {
    const own = env();
    const { code, out } = await revka(
      ["service", "install", "--user", "--dry-run", "--manager", "systemd", "--memory-max", "512M"],
      own,
    );
    expect(code).toBe(0);
    expect(out).toContain(`# ${own.HOME}/.config/systemd/user/revka.service (mode 644)`);
    expect(out).toContain("MemoryMax=512M");
    expect(out).toContain("$ systemctl --user enable revka.service");
    expect(existsSync(join(own.HOME, ".config"))).toBe(false);
  });

  test("install with a config that cannot load is 78 and writes nothing", async () => {
    const own = env();
    const config = join(own.HOME, "c.toml");
    writeFileSync(config, "[gateway]\nport = 'x'\n");
    const { code, err } = await revka(
      ["service", "install", "--user", "--manager", "systemd", "--config", config],
      own,
    );
    expect(code).toBe(78);
    expect(err).toContain("gateway.port");
    expect(existsSync(join(own.HOME, ".config"))).toBe(false);
  });

  test.each([
    [["--manager", "upstart"], "none of systemd, openrc, launchd"],
    [["--memory-max", "lots"], "no size such as 512M"],
    [["--credentials", "relative"], "absolute path"],
    [["--run-as", "a b;c"], "no name of an account"],
  ])("%p is wrong usage", async (words, message) => {
    const { code, err } = await revka(
      ["service", "install", "--dry-run", "--manager", "systemd", ...words],
      env(),
    );
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
