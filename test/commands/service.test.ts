import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  as,
  config,
  env,
  home,
  mine,
  program,
  ran,
  service,
  unit,
  useServiceManagers,
} from "../support/service.ts";

useServiceManagers();

describe("one's own service", () => {
  test("is written, enabled and started", async () => {
    const { code, out, err } = await service("install", ...mine);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("systemctl --user edit revka.service");
    expect(ran()).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable revka.service",
      "loginctl enable-linger ada",
      "systemctl --user restart revka.service",
    ]);
    const lines = readFileSync(unit(), "utf8").split("\n");
    expect(lines).toContain(`Environment="REVKA_HOME=${home}/me/.revka"`);
    expect(lines.some((line) => line.endsWith(` daemon --config ${config}`))).toBe(true);
    // The systemd that runs here is asked for its version.
    expect(lines).toContain("RestartSec=10s");
    expect(statSync(unit()).mode & 0o777).toBe(0o644);
  });

  test("that does not start is a failure, and its log says why", async () => {
    program("systemctl", '[ "$2" = restart ] && exit 5; exit 0');
    for (const verb of ["install", "restart"]) {
      rmSync(join(home, "ran"), { force: true });
      expect(await service(verb, ...mine)).toEqual({
        code: 1,
        out: "",
        err: "revka: the service did not start; its log ends as above, and `revka service logs --user` has more\n",
      });
      expect(ran().at(-1)).toBe(
        "journalctl --user --unit revka.service --lines=10 --no-pager --output=cat",
      );
    }
  });

  test.each([
    ["a wrong config", 78, (file: string) => writeFileSync(file, "agent = 1\n")],
    ["no config", 78, (file: string) => rmSync(file)],
    ["a sound config", 0, () => {}],
    [
      "a wrong config and a drop-in, which may mend it",
      0,
      (file: string) => {
        writeFileSync(file, "agent = 1\n");
        mkdirSync(`${unit()}.d`);
      },
    ],
  ])("is not stopped for one that would not start: %s is %d", async (_, code, change) => {
    await service("install", ...mine);
    rmSync(join(home, "ran"));
    change(config);
    const restarted = await service("restart", ...mine);
    expect(restarted.code).toBe(code);
    if (code === 0) return expect(ran()).toEqual(["systemctl --user restart revka.service"]);
    expect(restarted.err).toStartWith(
      "revka: not restarted: with this config it would not start\n",
    );
    expect(restarted.err).toContain(config);
    expect(ran()).toEqual([]);
  });

  test("starts also where it may not linger", async () => {
    program("loginctl", "exit 1");
    expect((await service("install", ...mine)).code).toBe(0);
    expect(ran().at(-1)).toBe("systemctl --user restart revka.service");
  });

  test("goes away alone: config and home stay, and it may be gone already", async () => {
    await service("install", ...mine);
    for (let times = 0; times < 2; times++) {
      const { code, out } = await service("uninstall", ...mine);
      expect(code).toBe(0);
      expect(out).toBe(`Config, messages and session stay in ${home}/me/.revka.\n`);
      expect(existsSync(unit())).toBe(false);
      expect(existsSync(config)).toBe(true);
    }
  });

  test("is not installed through sudo, which is root", async () => {
    as(0);
    env["SUDO_USER"] = "ada";
    expect(await service("install", ...mine)).toEqual({
      code: 1,
      out: "",
      err: "revka: --user is for whoever runs this, and sudo makes that root: leave one of the two out\n",
    });
    expect(existsSync(unit())).toBe(false);
    expect(ran()).toEqual([]);
  });

  test("keeps its home, and says so wherever that is", async () => {
    mkdirSync(join(home, "other"));
    writeFileSync(join(home, "other/config.toml"), '[agent]\nkind = "echo"\n');
    env["REVKA_HOME"] = join(home, "other");
    await service("install", ...mine);
    delete env["REVKA_HOME"];
    expect((await service("uninstall", ...mine)).out).toBe(
      `Config, messages and session stay in ${home}/other.\n`,
    );
  });

  test("keeps its config, and says so wherever that is", async () => {
    const other = join(home, "other.toml");
    writeFileSync(other, '[agent]\nkind = "echo"\n');
    await service("install", ...mine, "--config", other);
    expect((await service("uninstall", ...mine)).out).toBe(
      `Messages and session stay in ${home}/me/.revka, the config is ${other}.\n`,
    );
  });

  test.each([
    [0, 0],
    [3, 1],
  ])("whose manager ends with %d ends with %d", async (given, code) => {
    program("systemctl", `exit ${given}`);
    for (const verb of ["start", "stop", "restart", "status"]) {
      expect((await service(verb, ...mine)).code).toBe(code);
    }
  });

  test("under launchd is what anybody but root means", async () => {
    as(1000);
    const plist = join(home, "me/Library/LaunchAgents/com.revka.daemon.plist");
    expect((await service("install", "--manager", "launchd")).code).toBe(0);
    expect(readFileSync(plist, "utf8")).toContain(`<string>${config}</string>`);
    expect(ran().at(-1)).toBe(`launchctl bootstrap gui/1000 ${plist}`);
  });

  test.each([
    ["a wrong config", 78, "agent = 1\n", []],
    [
      "a sound config",
      0,
      '[agent]\nkind = "echo"\n',
      ["launchctl kickstart -k gui/1000/com.revka.daemon"],
    ],
  ])(
    "under launchd is not stopped for one that would not start: %s is %d",
    async (_, code, text, commands) => {
      as(1000);
      await service("install", "--manager", "launchd");
      rmSync(join(home, "ran"));
      writeFileSync(config, text);
      const restarted = await service("restart", "--manager", "launchd");
      expect(restarted.code).toBe(code);
      expect(ran()).toEqual(commands);
      const refusal = "revka: not restarted: with this config it would not start\n";
      expect(restarted.err.startsWith(refusal)).toBe(code !== 0);
    },
  );
});

describe("a system service", () => {
  // Not to install or uninstall: a test that is red must not touch the machine's own.
  test.each(["start", "stop", "restart"])("is nobody's but root's to %s", async (verb) => {
    as(1000);
    const { code, err } = await service(verb, "--manager", "openrc");
    expect({ code, err }).toEqual({
      code: 1,
      err: `revka: a system service needs root: sudo revka service ${verb}; or, for yourself: revka service ${verb} --user\n`,
    });
    expect(ran()).toEqual([]);
  });

  test.each([
    ["systemd", "systemctl start revka.service"],
    ["launchd", "launchctl bootstrap system /Library/LaunchDaemons/com.revka.daemon.plist"],
  ])("is started by the manager that is named: %s", async (manager, words) => {
    as(0);
    expect((await service("start", "--manager", manager)).code).toBe(0);
    expect(ran()).toEqual([words]);
  });

  test.each(["systemd", "openrc", "launchd"])(
    "for whoever called doas, as Alpine has it: %s",
    async (manager) => {
      env["DOAS_USER"] = "ada";
      program("id", "echo root");
      as(0);
      const { out } = await service("install", "--dry-run", "--manager", manager);
      expect(out).toContain(`${home}/ada/.revka`);
    },
  );

  test("of OpenRC needs an account, which is said before a config for it is asked for", async () => {
    program("id", "echo root");
    as(0);
    expect(await service("install", "--manager", "openrc")).toEqual({
      code: 1,
      out: "",
      err: "revka: OpenRC makes no account for a service: name the one it is to run as, with --run-as USER\n",
    });
    expect(ran()).toEqual([]);
  });

  test.each(["openrc", "launchd"])("has no limit of its memory under %s", async (manager) => {
    const words = ["--dry-run", "--manager", manager, "--memory-max", "512M"];
    expect(await service("install", ...words)).toEqual({
      code: 1,
      out: "",
      err: `revka: --memory-max is for systemd alone: leave it out under ${manager}\n`,
    });
  });

  test("that a manager cannot have is refused in words, not as a fault of Revka's", async () => {
    const { code, err } = await service("start", "--manager", "openrc", "--user");
    expect({ code, err }).toEqual({
      code: 1,
      err: "revka: OpenRC runs system services only; leave --user out and use root\n",
    });
  });

  test.each([
    ["status", "systemctl status --no-pager revka.service"],
    ["logs", "journalctl --unit revka.service --lines=200 --no-pager --output=cat"],
  ])("may be looked at by anybody: %s", async (verb, words) => {
    as(1000);
    expect((await service(verb, "--manager", "systemd")).code).toBe(0);
    expect(ran()).toEqual([words]);
  });

  const planned = async (...words: string[]) => {
    as(0);
    const { code, out, err } = await service("install", "--dry-run", ...words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(ran()).toEqual([]);
    return out;
  };

  test.each<[string, Record<string, string>, string[], string]>([
    ["who called sudo", { SUDO_USER: "ada" }, [], "ada"],
    ["who is named", { SUDO_USER: "ada" }, ["--run-as", "daemon"], "daemon"],
    ["root, where it is named", {}, ["--run-as", "root"], "root"],
    ["who runs this", {}, [], "ada"],
  ])("runs as %s", async (_, more, words, account) => {
    Object.assign(env, more);
    const out = await planned("--manager", "systemd", ...words);
    expect(out).toContain(`\nUser=${account}\n`);
    expect(out).not.toContain("DynamicUser");
    const its = account === "ada" ? `${home}/ada` : `${home}/me`;
    expect(out).toContain(`\nEnvironment="REVKA_HOME=${its}/.revka"\n`);
    expect(out).toContain(`# folder ${its}/.revka (mode 700)\n`);
  });

  const free = !existsSync("/etc/revka/config.toml");
  test.if(free)(
    "of root is not installed without its config, and root's own is told to become it",
    async () => {
      program("id", "echo root");
      as(0);
      const { code, err } = await service("install", "--manager", "launchd");
      expect({ code, err }).toEqual({
        code: 78,
        err: `/etc/revka/config.toml: no such file, and a service with an account of its own reads no other; yours becomes it by \`install -D -m 600 ${config} /etc/revka/config.toml\`\n`,
      });
      expect(ran()).toEqual([]);
    },
  );

  test.each([{}, { SUDO_USER: "root" }])("of root has an account of its own: %p", async (more) => {
    program("id", "echo root");
    Object.assign(env, more);
    const out = await planned("--manager", "launchd");
    expect(out).toContain("# /Library/LaunchDaemons/com.revka.daemon.plist (mode 644)");
    expect(out).toContain("<string>/var/lib/revka</string>");
    expect(out).toContain("<string>/etc/revka/config.toml</string>");
    expect(out).not.toContain("UserName");
    const gone = await service("uninstall", "--manager", "launchd", "--dry-run");
    expect(gone.out).toEndWith(
      "# Messages and session stay in /var/lib/revka, the config is /etc/revka/config.toml.\n",
    );
    const named = await planned("--manager", "launchd", "--config", "/etc/other.toml");
    expect(named).toContain("<string>/etc/other.toml</string>");
    env["REVKA_CONFIG"] = "/srv/another.toml";
    expect(await planned("--manager", "launchd")).toContain("<string>/srv/another.toml</string>");
    env["REVKA_HOME"] = " ";
    expect(await planned("--manager", "launchd")).toContain("<string>/var/lib/revka</string>");
  });

  test("is not written for an account that does not exist, and goes when that is gone", async () => {
    program("getent", "exit 2");
    as(0);
    const words = ["--manager", "systemd", "--run-as", "nobody-here"];
    expect(await service("install", "--dry-run", ...words)).toMatchObject({
      code: 1,
      err: "revka: there is no account nobody-here: create it first, or name another with --run-as\n",
    });
    expect(ran()).toEqual([]);
    expect((await service("uninstall", "--dry-run", ...words)).code).toBe(0);
  });

  test("may have an account of a domain", async () => {
    env["SUDO_USER"] = "ada.of.the.long.name@corp.example.com";
    const out = await planned("--manager", "systemd");
    expect(out).toContain("\nUser=ada.of.the.long.name@corp.example.com\n");
  });

  test("a name that is none is wrong usage, also from sudo", async () => {
    env["SUDO_USER"] = "a b";
    as(0);
    const { code, err } = await service("install", "--dry-run", "--manager", "systemd");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('"a b" is no') });
  });
});

test("what is done is shown first as it would be typed", async () => {
  env["HOME"] = join(home, "a b");
  expect((await service("uninstall", "--dry-run", ...mine)).out).toContain(
    `\n$ rm '${home}/a b/.config/systemd/user/revka.service'\n`,
  );
  env["HOME"] = join(home, "me");
  const { out } = await service("uninstall", "--dry-run", ...mine);
  expect(out).toBe(
    [
      "$ systemctl --user disable --now revka.service",
      `$ rm ${unit()}`,
      "$ systemctl --user daemon-reload",
      `# Config, messages and session stay in ${home}/me/.revka.`,
      "",
    ].join("\n"),
  );
  expect(ran()).toEqual([]);
});

test("a word that is no verb is wrong usage", async () => {
  const { code, err } = await service("remove", "--manager", "systemd");
  expect({ code, err }).toMatchObject({
    code: 2,
    err: expect.stringContaining('"remove" is none'),
  });
});
