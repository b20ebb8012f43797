import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findExecutable } from "../../src/runtime/executable.ts";
import type { ServiceRequest } from "../../src/service/plan.ts";
import { systemdPlan, systemdUnit } from "../../src/service/systemd.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const account: ServiceRequest = {
  executable: ["/bin/true"],
  scope: "system",
  account: "daemon",
  home: "/home/ada/.revka",
  config: "/home/ada/.revka/config.toml",
  writable: [],
  credentials: [],
  memoryMax: null,
  systemdVersion: 252,
};
const dynamic: ServiceRequest = {
  ...account,
  account: null,
  home: "/var/lib/revka",
  config: "/etc/revka/config.toml",
};
const user: ServiceRequest = { ...account, scope: "user", account: null };
const every = [
  ["account", account],
  ["dynamic", dynamic],
  ["user", user],
] as const;

describe.each(every)("the unit (%s)", (name, request) => {
  const lines = systemdUnit(request).split("\n");

  test.each([
    "Type=notify",
    "NotifyAccess=main",
    "WatchdogSec=60s",
    "WatchdogSignal=SIGKILL",
    "LimitCORE=0",
    "Restart=on-failure",
    "RestartPreventExitStatus=2 78",
    "StartLimitIntervalSec=0",
    "NoNewPrivileges=yes",
    "UMask=0077",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallFilter=@system-service",
  ])("has %s", (line) => expect(lines).toContain(line));

  test("is hardened as far as its manager can", () => {
    const system = ["ProtectSystem=strict", "PrivateTmp=yes", "CapabilityBoundingSet="];
    for (const line of system) expect(lines.includes(line)).toBe(name !== "user");
    expect(lines.includes("Wants=network-online.target")).toBe(name !== "user");
    expect(lines).toContain(`WantedBy=${name === "user" ? "default.target" : "multi-user.target"}`);
  });

  test("never forbids what the compiler of JavaScript needs", () => {
    expect(lines.join("\n")).not.toContain("MemoryDenyWriteExecute");
  });
});

test.each([
  [
    "account",
    account,
    ["User=daemon", "ProtectHome=read-only", 'ReadWritePaths="/home/ada/.revka"'],
    /^(DynamicUser|StateDirectory|LoadCredential|MemoryMax|Environment="(HOME|REVKA_CONFIG))/m,
  ],
  [
    "dynamic",
    dynamic,
    ["DynamicUser=yes", "ProtectHome=yes"],
    /^(User|ReadWritePaths|MemoryMax)=/m,
  ],
  [
    "user",
    user,
    ['Environment="REVKA_HOME=/home/ada/.revka"'],
    /^(User|DynamicUser|StateDirectory|LoadCredential|ReadWritePaths|Protect.*|MemoryMax)=/m,
  ],
] as const)("the unit (%s) names who it runs as, and nobody else", (_, request, has, hasNot) => {
  const unit = systemdUnit(request);
  for (const line of has) expect(unit.split("\n")).toContain(line);
  expect(unit).not.toMatch(hasNot);
});

test("an account of its own gets its config as a credential, and a state directory", () => {
  const unit = systemdUnit({
    ...dynamic,
    credentials: [{ name: "revka-session-key", file: "/etc/revka/key" }],
  });
  for (const line of [
    "DynamicUser=yes",
    "StateDirectory=revka",
    'Environment="HOME=/var/lib/revka"',
    'Environment="REVKA_CONFIG=/etc/revka/config.toml"',
    "LoadCredential=revka-config:/etc/revka/config.toml",
    "LoadCredential=revka-session-key:/etc/revka/key",
    "ExecStart=/bin/true daemon --config ${CREDENTIALS_DIRECTORY}/revka-config",
    "ProtectHome=yes",
  ]) {
    expect(unit.split("\n")).toContain(line);
  }
  expect(unit).not.toContain("User=daemon");
});

test("an account of its own cannot run a program in somebody's home", () => {
  const request: ServiceRequest = { ...dynamic, executable: ["/home/ada/revka"] };
  expect(() => systemdUnit(request)).toThrow("/usr/local/bin");
});

test("an account of its own has no other home than its state directory", () => {
  expect(() => systemdUnit({ ...dynamic, home: "/srv/revka" })).toThrow(
    "keeps its files in /var/lib/revka, not in /srv/revka; leave REVKA_HOME out, or name an account with --run-as",
  );
});

test.each([
  [252, "RestartSec=10s", false],
  [254, "RestartSteps=8", true],
  [null, "RestartSteps=8", true],
] as const)("systemd %p: %s", (systemdVersion, line, steps) => {
  const unit = systemdUnit({ ...account, systemdVersion });
  expect(unit.split("\n")).toContain(line);
  expect(unit.includes("RestartMaxDelaySec")).toBe(steps);
});

test.each([
  ["/srv/a b/c.toml", '"/srv/a b/c.toml"'],
  ["/srv/50%/c.toml", "/srv/50%%/c.toml"],
  ["/srv/$HOME/c.toml", '"/srv/$$HOME/c.toml"'],
  ['/srv/"q"\\/c.toml', '"/srv/\\"q\\"\\\\/c.toml"'],
])("a config at %s is spelled %s", (config, spelled) => {
  expect(systemdUnit({ ...account, config })).toContain(
    `ExecStart=/bin/true daemon --config ${spelled}\n`,
  );
});

test.each([
  ["/srv/a b/revka", '"/srv/a b/revka"'],
  ["/srv/50%/revka", "/srv/50%%/revka"],
  // Of the program alone systemd takes a dollar sign as it is.
  ["/srv/$HOME/revka", '"/srv/$HOME/revka"'],
])("a program at %s is spelled %s", (program, spelled) => {
  const unit = systemdUnit({ ...account, executable: [program, "/srv/$HOME/main.ts"] });
  expect(unit).toContain(`\nExecStart=${spelled} "/srv/$$HOME/main.ts" daemon `);
});

test.each([
  { config: "/x\nExecStartPost=/bin/evil" },
  { home: "/x\nUser=root" },
  { writable: ["/x\rUser=root"] },
  { credentials: [{ name: "revka-session-key", file: "/x\nUser=root" }] },
])("a line break cannot add a line: %p", (change) => {
  expect(() => systemdUnit({ ...account, ...change })).toThrow("control character");
});

const analyze = findExecutable("systemd-analyze");
(analyze ? describe : describe.skip)("systemd itself", () => {
  const full = { memoryMax: "512M", writable: ["/srv/m d%x"] };
  test.each(every)("verifies the unit (%s)", (_, request) => {
    const folder = mkdtempSync(join(tmpdir(), "revka-unit-"));
    undo.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "revka.service");
    writeFileSync(file, systemdUnit({ ...request, ...full }));
    const run = Bun.spawnSync([analyze ?? "", "verify", "--man=no", "--recursive-errors=no", file]);
    expect(run.stderr.toString()).not.toContain("revka.service");
    expect(run.exitCode).toBe(0);
  });

  test.each([
    ["account", account, 2],
    ["dynamic", dynamic, 2],
  ] as const)("calls its exposure low (%s)", (_, request, most) => {
    const folder = mkdtempSync(join(tmpdir(), "revka-unit-"));
    undo.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "revka.service");
    writeFileSync(file, systemdUnit(request));
    const run = Bun.spawnSync([analyze ?? "", "security", "--offline=yes", "--no-pager", file]);
    const level = /Overall exposure level for revka\.service: ([\d.]+)/.exec(run.stdout.toString());
    expect(Number(level?.[1])).toBeLessThanOrEqual(most);
  });
});

describe("the plan", () => {
  test("install enables, lingers for a user, and starts", () => {
    const { after, files } = systemdPlan("install", user, "/home/ada", "ada");
    expect(files[0]?.path).toBe("/home/ada/.config/systemd/user/revka.service");
    expect(after.map(({ command }) => command.join(" "))).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable revka.service",
      "loginctl enable-linger ada",
      "systemctl --user restart revka.service",
    ]);
    // Without a session or polkit it fails, and the service must start all the same.
    expect(after[2]?.optional).toBe(true);
    const system = systemdPlan("install", account, "/root");
    expect(system.files[0]?.path).toBe("/etc/systemd/system/revka.service");
    expect(system.folders).toEqual([{ path: "/home/ada/.revka", mode: 0o700 }]);
    expect(systemdPlan("install", dynamic, "/root").folders).toEqual([]);
  });

  test("has the account make the folders that it is to write to, since root would make them anywhere", () => {
    const before = (request: ServiceRequest) =>
      systemdPlan("install", { ...request, writable: ["/srv/a b", "/srv/c"] }, "/h").before;
    expect(before(account)).toEqual(
      ["/srv/a b", "/srv/c"].map((folder) => ({
        command: ["runuser", "-u", "daemon", "--", "mkdir", "-p", "-m", "700", folder],
        optional: true,
      })),
    );
    expect([before(user), before(dynamic)]).toEqual([[], []]);
  });

  test("of the system does not linger; an unknown user lingers without a name", () => {
    const commands = (request: ServiceRequest) =>
      systemdPlan("install", request, "/h").after.map(({ command }) => command.join(" "));
    expect(commands(account)).toEqual([
      "systemctl daemon-reload",
      "systemctl enable revka.service",
      "systemctl restart revka.service",
    ]);
    expect(commands(user)).toContain("loginctl enable-linger");
  });

  test("tells what its person has to know", () => {
    const notes = (request: ServiceRequest) => systemdPlan("install", request, "/h").notes.join();
    expect(notes(user)).toContain("`systemctl --user edit revka.service`");
    expect(notes(user)).toContain("lingering");
    expect(notes(account)).toContain("`systemctl edit revka.service`");
    expect(notes(account)).not.toMatch(/lingering|Its home is its own/);
    expect(notes(dynamic)).toContain(
      "sudo REVKA_HOME=/var/lib/revka revka status --config /etc/revka/config.toml",
    );
    expect(notes(user)).not.toContain("Its home is its own");
  });

  test("logs are those of whose service it is", () => {
    const words = (request: ServiceRequest) =>
      systemdPlan("logs", request, "/h").after[0]?.command.includes("--user");
    expect([user, account, dynamic].map(words)).toEqual([true, false, false]);
  });

  test("uninstall stops, removes the unit alone, and keeps the data", () => {
    const plan = systemdPlan("uninstall", account, "/root");
    expect(plan.remove).toEqual(["/etc/systemd/system/revka.service"]);
    expect(plan.before[0]).toEqual({
      command: ["systemctl", "disable", "--now", "revka.service"],
      optional: true,
    });
    expect(plan.notes.join()).toContain("stay in /home/ada/.revka");
  });

  test.each(["start", "stop", "restart"] as const)("%s", (verb) => {
    expect(systemdPlan(verb, user, "/h").after).toEqual([
      { command: ["systemctl", "--user", verb, "revka.service"] },
    ]);
  });
});
